// The few signs that are drawn here rather than written, since not every machine
// has letters for them. They say nothing that does not stand in words beside them.
import { html } from "./html.js";

const drawn = {
  lock: "M4 7V5a4 4 0 0 1 8 0v2h1v7H3V7zm2 0h4V5a2 2 0 0 0-4 0z",
  eye: "M8 3c4 0 6.5 3.2 7.5 5-1 1.8-3.5 5-7.5 5S1.5 9.8.5 8C1.5 6.2 4 3 8 3zm0 2a3 3 0 1 0 0 6 3 3 0 0 0 0-6zm0 1.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3z",
  picture: "M1 3h14v10H1zm1.5 1.5v6L6 7l2.5 3L11 8l2.5 2.5v-6zM11 5.5a1 1 0 1 1 0 2 1 1 0 0 1 0-2z",
};

export const Icon = ({ of }) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path fill-rule="evenodd" d=${drawn[of]} /></svg>`;
