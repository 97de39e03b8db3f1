// The page: who is being played, what they see, and what stands beside it.
import { html, render, useState, useEffect, useMemo, useCallback } from "./html.js";
import { Workspace, nameOf, placeOf, HOME, DIRECT } from "./workspace.js";
import { watch } from "./live.js";
import { Sending } from "./sending.js";
import { kept } from "./kept.js";
import { Top } from "./top.js";
import { Sidebar } from "./sidebar.js";
import { Place, Thread } from "./place.js";
import { Modal } from "./modal.js";
import { Confirm } from "./dialogs.js";
import { Beside } from "./beside.js";
import { Tour } from "./tour.js";
import { useUnread } from "./unread.js";

const everything = ["clock", "slack", "people", "aws", "jira", "incidents", "github", "ledger", "trouble"];

// usePicture follows what a person sees. Until their screen has come, the one
// before stays, so that switching does not flicker.
function usePicture(person) {
  const [picture, setPicture] = useState({});
  const [connected, setConnected] = useState(true);
  useEffect(() => watch(person, {
    onSection: (name, value) => setPicture((p) => ({ ...p, [name]: value, ...(name === "clock" && { ahead: value.now - Date.now() }) })),
    onConnected: setConnected,
  }), [person]);
  return [picture, connected];
}

// useQuestion asks before a button is pressed: ask answers a promise.
function useQuestion() {
  const [question, setQuestion] = useState();
  const ask = useCallback((of) => new Promise((resolve) => setQuestion({ of, resolve })), []);
  const answer = (yes) => { setQuestion(undefined); question.resolve(yes); };
  return [question?.of, ask, answer];
}

function App() {
  const [person, setPerson] = useState(kept("person", "U0ENGINEER"));
  const [place, setPlace] = useState(kept("place", "C0EMERGENCY"));
  const [thread, setThread] = useState();
  const [pane, setPane] = useState("slack"); // what a narrow window shows
  const [menu, setMenu] = useState(false);
  const [trouble, tell] = useTold();
  const [picture, connected] = usePicture(person);
  const [question, confirm, answer] = useQuestion();
  const sending = useMemo(() => new Sending(person, tell), [person]);
  const [unread, unreadOf] = useUnread(picture, person, place);

  useEffect(() => kept.set("person", person), [person]);
  useEffect(() => kept.set("place", place), [place]);
  useEffect(() => { if (place === HOME) sending.act("home"); }, [place, person]);

  const ready = everything.every((s) => picture[s] !== undefined);
  if (!ready) return html`<p class="starting">${connected ? "Opening the workspace …" : "The workspace does not answer. Is the demo still running?"}</p>`;

  const be = (id) => { setPerson(id); setThread(undefined); setMenu(false); setPane("slack"); };
  const go = (where) => { setPlace(where); setThread(undefined); setMenu(false); setPane("slack"); };
  // Where people and channels lie over the page, a touch beside them or Escape shuts them.
  const shut = () => setMenu(false);
  const shutByKey = (event) => { if (event.key === "Escape") shut(); };
  const zone = picture.slack.zone, now = () => Date.now() + picture.ahead;
  const name = (id) => nameOf(picture.people, id);
  const reader = {
    zone, now: picture.clock.now, user: name,
    channel: (id) => picture.slack.channels.find((c) => c.id === id)?.name ?? id,
    group: (id) => picture.people.groups.find((g) => g.id === id)?.handle ?? id,
  };
  // A guest, or somebody just switched to, may not see the channel that was open.
  const here = place === HOME || place === DIRECT || placeOf(picture.slack, place) ? place : DIRECT;
  const channel = here === HOME ? undefined : placeOf(picture.slack, here);
  const mine = picture.slack.me === person; // the screen of the person before is not theirs
  const modal = mine ? picture.slack.modal : null;

  // A form keeps everything behind it out of reach, so what went wrong stands in it.
  const told = html`<${Told} said=${trouble} onGone=${() => tell("")} />`;

  return html`<${Workspace.Provider} value=${{ picture, person, sending, confirm, tell, reader, zone, now, name, be, go }}>
    <div class="frame" data-pane=${pane} data-menu=${menu ? "open" : "shut"} data-thread=${thread ? "open" : "shut"} onKeyDown=${menu ? shutByKey : undefined}>
      <${Top} connected=${connected} menu=${menu} onMenu=${() => setMenu(!menu)} unread=${picture.people.people.some((p) => p.id !== person && unreadOf(p))} />
      <${Sidebar} place=${here} onPerson=${be} onPlace=${go} ...${{ unread, unreadOf }} />
      <main class="slack" aria-label="Slack" onClick=${shut}><${Place} place=${here} channel=${channel} onThread=${setThread} />${thread && channel && html`<${Thread} channel=${channel} ts=${thread} onClose=${() => setThread(undefined)} />`}</main>
      <aside class="beside" aria-label="Beside Slack" onClick=${shut}><${Tour} /><${Beside} /></aside>
      <nav class="panes" aria-label="View">
        ${[["slack", "Slack"], ["beside", "Beside it"]].map(([id, label]) => html`<button key=${id} type="button" aria-current=${pane === id ? "page" : undefined} onClick=${() => { setPane(id); setMenu(false); }}>${label}</button>`)}
      </nav>
    </div>
    ${modal && html`<${Modal} key=${modal.id} view=${modal} under=${picture.slack.under} told=${told} />`}
    ${question && html`<${Confirm} question=${question} reader=${reader} onAnswer=${answer} />`}
    ${!modal && told}
  <//>`;
}

// useTold keeps what went wrong in sight for a while.
function useTold() {
  const [said, setSaid] = useState({ text: "", at: 0 });
  const tell = useCallback((text) => setSaid((before) => ({ text, at: before.at + 1 })), []);
  return [said, tell];
}

const toldFor = 9000; // milliseconds: long enough to read two sentences

function Told({ said, onGone }) {
  useEffect(() => {
    if (!said.text) return undefined;
    const timer = setTimeout(onGone, toldFor);
    return () => clearTimeout(timer);
  }, [said.at]);
  return html`<div class="told" role="alert">${said.text && html`<p>${said.text}</p><button type="button" class="close" aria-label="Dismiss" onClick=${onGone}>×</button>`}</div>`;
}

const root = document.getElementById("app");
root.textContent = "";
render(html`<${App} />`, root);
