// Who has access to what in AWS right now, and had it when: one bar for each
// time that an access lasted.
import { html } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { post } from "./api.js";
import { clockTime, dayAndTime, span } from "./times.js";

const least = 60 * 60e3; // the timeline shows an hour at least
const most = 36 * 60 * 60e3; // and a day and a half at most

export function Access() {
  const { picture, now, zone, tell } = useWorkspace();
  const { bars, under } = picture.aws;
  const end = Math.max(now(), picture.clock.now);
  const open = bars.filter((b) => !b.to);
  const begin = Math.min(end - least, Math.max(end - most, ...bars.slice(0, 1).map((b) => Date.parse(b.from) - 5 * 60e3)));
  const standing = open.some((b) => b.standing && b.who === "Engineer" && b.set === "BreakGlassReadOnly");
  const plant = () => post("aws/standing", { on: !standing }).catch((error) => tell(error.message));
  const rows = new Map();
  for (const bar of bars) {
    const key = `${bar.who} · ${bar.set} · ${bar.account}`;
    rows.set(key, [...(rows.get(key) ?? []), bar]);
  }
  return html`<section class="access" aria-labelledby="aws">
    <header class="head"><h2 id="aws">AWS: who has access now</h2><span class=${`badge ${open.length ? "live" : ""}`}>${open.length ? open.length : "nobody"}</span></header>
    <ul class="have">
      ${open.map((b) => html`<li key=${b.who + b.set + b.from}><strong>${b.who}</strong> has <strong>${b.set}</strong> in ${b.account}
        <small>${b.standing ? "standing access, not given by breakglass" : `for ${span(end - Date.parse(b.from))}`}</small></li>`)}
      ${under.map((u, i) => html`<li key=${i} class="under">AWS is ${u.what} ${u.set} ${u.what === "giving" ? "to" : "from"} ${u.who} …</li>`)}
      ${!open.length && !under.length && html`<li class="nobody">Nobody has access, which is the default.</li>`}
    </ul>
    ${rows.size > 0 && html`<figure class="timeline" aria-label="Timeline of access">
      ${[...rows].map(([key, lasting]) => html`<div class="row" key=${key}><span class="whose">${key}</span><div class="track">
        ${lasting.map((b) => html`<${Bar} key=${b.from} bar=${b} ...${{ begin, end, zone }} />`)}</div></div>`)}
      <figcaption><span>${dayAndTime(begin, zone)}</span><span>now</span></figcaption>
    </figure>`}
    <button type="button" class="button small" onClick=${plant}>${standing ? "Take the engineer's standing read access away" : "Give the engineer standing read access"}</button>
  </section>`;
}

function Bar({ bar, begin, end, zone }) {
  const from = Date.parse(bar.from), to = bar.to ? Date.parse(bar.to) : end;
  if (to < begin) return null;
  const left = Math.min(Math.max(0, (from - begin) / (end - begin)) * 100, 98.5), right = Math.min(1, (to - begin) / (end - begin)) * 100;
  const says = `${clockTime(from, zone)} to ${bar.to ? clockTime(to, zone) : "now"}, ${span(to - from)}${bar.standing ? ", standing" : ""}`;
  return html`<span class=${`bar ${bar.standing ? "standing" : bar.to ? "over" : "live"}`} role="img" aria-label=${says} title=${says} style=${{ left: `${left}%`, width: `${Math.max(right - left, 1.5)}%` }}></span>`;
}
