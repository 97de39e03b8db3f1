// What the middle of the page shows: a channel, the direct messages with
// breakglass, or its home tab, and beside it a thread.
import { html, useEffect, useRef } from "./html.js";
import { useWorkspace, HOME } from "./workspace.js";
import { Blocks } from "./blocks.js";
import { Messages } from "./messages.js";
import { Composer } from "./composer.js";

export function Place({ place, channel, onThread }) {
  const { picture, person, name } = useWorkspace();
  if (place === HOME) return html`<section class="place" key=${`${person} home`}><${Head} title="breakglass" about="Home" /><${Home} view=${picture.slack.home} /></section>`;
  const title = channel.direct ? "breakglass" : `#${channel.name}`;
  const empty = channel.direct ? `breakglass has not written to ${name(person)} yet.` : `Nothing has been said here yet. Type ${picture.slack.command} to ask for an emergency change.`;
  return html`<section class="place" key=${`${person} ${place}`}>
    <${Head} title=${title} about=${channel.direct ? "Messages" : channel.private ? "private" : ""} />
    <${Messages} channel=${channel} label=${`Messages in ${title}`} onThread=${onThread} empty=${empty} />
    <${Composer} channel=${channel.id} label=${`Message ${channel.direct ? "breakglass" : title} as ${name(person)}`} />
  </section>`;
}

// Head also says who one is where there is no room for the list of people.
function Head({ title, about }) {
  const { name, person } = useWorkspace();
  return html`<header class="head"><h1>${title}</h1>${about && html`<span>${about}</span>`}<span class="as">as ${name(person)}</span></header>`;
}

function Home({ view }) {
  if (!view) return html`<p class="empty">breakglass has not published a home tab for this person.</p>`;
  return html`<div class="home" tabindex="0"><${Blocks} blocks=${view.blocks} state=${view.state} surface=${{ home: true }} /></div>`;
}

export function Thread({ channel, ts, onClose }) {
  const close = useRef();
  useEffect(() => { close.current.focus(); }, [ts]);
  return html`<section class="thread" aria-label="Thread" onKeyDown=${(e) => e.key === "Escape" && !e.defaultPrevented && onClose()}>
    <header class="head"><h2>Thread</h2><button ref=${close} type="button" class="close" aria-label="Close the thread" onClick=${onClose}>×</button></header>
    <${Messages} channel=${channel} thread=${ts} label="Messages in the thread" empty="This message is no longer there." />
    <${Composer} channel=${channel.id} thread=${ts} label="Reply in the thread" />
  </section>`;
}
