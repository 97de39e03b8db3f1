// Who to be, and where to go.
import { html } from "./html.js";
import { useWorkspace, HOME, DIRECT } from "./workspace.js";
import { Avatar } from "./avatar.js";
import { Icon } from "./icons.js";

export function Sidebar({ place, onPerson, onPlace, unread, unreadOf }) {
  const { picture, person } = useWorkspace();
  const everybody = picture.people.people.filter((p) => !p.bot);
  const channels = picture.slack.channels.filter((c) => !c.direct);
  return html`<nav class="sidebar" aria-label="People and channels">
    <h2 id="be">Be</h2>
    <${People} list=${everybody.filter((p) => p.cast)} ...${{ person, onPerson, unreadOf }} />
    <details class="others"><summary>Others</summary><${People} list=${everybody.filter((p) => !p.cast)} ...${{ person, onPerson, unreadOf }} /></details>
    <h2>Channels</h2>
    <ul>${channels.map((c) => html`<li key=${c.id}><${Go} to=${c.id} ...${{ place, onPlace }} count=${unread(c.id)}><span class="sign" aria-hidden="true">${c.private ? html`<${Icon} of="lock" />` : "#"}</span>${c.name}<//></li>`)}</ul>
    <h2>breakglass</h2>
    <ul>
      <li><${Go} to=${HOME} ...${{ place, onPlace }}><span class="sign" aria-hidden="true">⌂</span>Home<//></li>
      <li><${Go} to=${DIRECT} ...${{ place, onPlace }} count=${unread(DIRECT)}><span class="sign" aria-hidden="true">✉</span>Messages<//></li>
    </ul>
  </nav>`;
}

function People({ list, person, onPerson, unreadOf }) {
  return html`<ul class="people">${list.map((p) => html`<li key=${p.id}>
    <button type="button" data-person=${p.id} aria-current=${p.id === person ? "true" : undefined} onClick=${() => onPerson(p.id)}>
      <${Avatar} id=${p.id} name=${p.name} /><span class="who">${p.name}</span>
      ${p.id !== person && html`<${Count} of=${unreadOf(p)} />`}</button></li>`)}</ul>`;
}

function Go({ to, place, onPlace, count, children }) {
  return html`<button type="button" data-place=${to} aria-current=${to === place ? "page" : undefined} class=${count ? "unread" : ""} onClick=${() => onPlace(to)}>
    <span class="where">${children}</span><${Count} of=${count} /></button>`;
}

const Count = ({ of }) => (of ? html`<span class="count">${of}<span class="hidden"> unread</span></span>` : null);
