// A list of messages, with threads folded to a line.
import { html, useRef, useLayoutEffect } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { Body } from "./blocks.js";
import { Avatar } from "./avatar.js";
import { Icon } from "./icons.js";
import { clockTime, dayOf, tsTime } from "./times.js";

// Messages shows a channel, or with `thread` one thread of it.
export function Messages({ channel, thread, label, onThread, empty }) {
  const { zone } = useWorkspace();
  const shown = channel.messages.filter((m) => (thread ? m.ts === thread || m.thread === thread : !m.thread || m.broadcast));
  const ref = useBottom(shown);
  let day;
  return html`<div class="messages" ref=${ref} role="log" aria-label=${label} tabindex="0">
    ${shown.length === 0 && html`<p class="empty">${empty}</p>`}
    ${shown.flatMap((m) => {
      const on = dayOf(tsTime(m.ts), zone);
      const line = on === day ? [] : [html`<div class="day" key=${`day ${on}`}><span>${on}</span></div>`];
      day = on;
      return [...line, html`<${Message} key=${m.ts} message=${m} channel=${channel} inThread=${Boolean(thread)} onThread=${onThread} />`];
    })}
  </div>`;
}

// useBottom keeps the newest message in sight, unless somebody has scrolled up to
// read an older one.
function useBottom(shown) {
  const ref = useRef(), bottom = useRef(true);
  useLayoutEffect(() => {
    const box = ref.current;
    const note = () => { bottom.current = box.scrollHeight - box.scrollTop - box.clientHeight < 80; };
    const follow = () => { if (bottom.current) box.scrollTop = box.scrollHeight; };
    const size = new ResizeObserver(follow);
    size.observe(box);
    box.addEventListener("scroll", note, { passive: true });
    return () => { size.disconnect(); box.removeEventListener("scroll", note); };
  }, []);
  useLayoutEffect(() => { if (bottom.current) ref.current.scrollTop = ref.current.scrollHeight; }, [shown]);
  return ref;
}

function Message({ message, channel, inThread, onThread }) {
  const { picture, name, zone } = useWorkspace();
  const bot = picture.people.people.find((p) => p.id === message.user)?.bot;
  const replies = channel.messages.filter((m) => m.thread === message.ts);
  const classes = ["message", message.ephemeral && "ephemeral"].filter(Boolean).join(" ");
  return html`<article class=${classes} data-ts=${message.ts}>
    <${Avatar} id=${message.user} name=${name(message.user)} bot=${bot} />
    <div class="said">
      ${message.ephemeral && html`<p class="only-you"><${Icon} of="eye" /> Only visible to you</p>`}
      <p class="by"><strong>${name(message.user)}</strong>${bot && html`<span class="app">APP</span>`}<time>${clockTime(tsTime(message.ts), zone)}</time>${message.edited && html`<span class="edited">(edited)</span>`}</p>
      <${Body} message=${message} channel=${channel.id} />
      ${!inThread && !message.ephemeral && html`<button type="button" class=${`thread-link ${replies.length ? "" : "quiet"}`} onClick=${() => onThread(message.ts)}>
        ${replies.length ? `${replies.length} ${replies.length === 1 ? "reply" : "replies"}, the last at ${clockTime(tsTime(replies.at(-1).ts), zone)}` : "Reply in thread"}</button>`}
    </div>
  </article>`;
}
