// What is typed and chosen goes to the workspace in the order in which it was
// done: a form must not be submitted before its last letter has arrived.
import { post } from "./api.js";

const pause = 250; // milliseconds without typing after which a text is sent

export class Sending {
  #tail = Promise.resolve();
  #waiting = new Map(); // by element: what is still being typed

  constructor(person, tell) {
    this.person = person;
    this.tell = tell;
  }

  // act does something after everything that was done before. It answers what
  // the workspace said, or undefined when that was an error, which is told.
  act(deed, body) {
    this.#release();
    return this.#queue(deed, body);
  }

  // type sends a text when its writer pauses, or does something else.
  type(at, value) {
    const key = JSON.stringify(at);
    clearTimeout(this.#waiting.get(key)?.timer);
    this.#waiting.set(key, { at, value, timer: setTimeout(() => this.#release(key), pause) });
  }

  #release(only) {
    for (const [key, { at, value, timer }] of this.#waiting) {
      if (only !== undefined && key !== only) continue;
      clearTimeout(timer);
      this.#waiting.delete(key);
      this.#queue("put", { at, value });
    }
  }

  #queue(deed, body) {
    const done = this.#tail.then(() => post(`as/${this.person}/${deed}`, body)).catch((error) => {
      if (error.message) this.tell(error.message);
    });
    this.#tail = done;
    return done;
  }
}
