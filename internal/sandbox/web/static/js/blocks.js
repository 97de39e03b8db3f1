// The blocks of messages, forms and the home tab. One that is not known here is
// shown as such, never left out.
import { html, useId } from "./html.js";
import { Element, Unknown } from "./elements.js";
import { Icon } from "./icons.js";
import { Text } from "./text.js";
import { RichText } from "./richtext.js";
import { Markdown } from "./markdown.js";

// Blocks renders blocks; `surface` says where they stand, as the workspace wants
// it: {channel, ts} for a message, {home: true}, or nothing for the form on top.
export function Blocks({ blocks, state, errors, surface = {} }) {
  return blocks.map((block, i) => {
    const Kind = kinds[block.type];
    const key = `${block.block_id ?? i} ${block.type}`;
    return Kind ? html`<${Kind} key=${key} ...${{ block, state, errors, surface }} />` : html`<${Unknown} key=${key} what="block" type=${block.type} />`;
  });
}

function Placed({ block, element, state, surface, input }) {
  const at = { ...surface, block: block.block_id, action: element.action_id };
  return html`<${Element} key=${`${at.block} ${at.action} ${element.type}`} at=${at} element=${element} fromServer=${state?.[block.block_id]?.[element.action_id]} input=${input} />`;
}

const Header = ({ block }) => html`<h3 class="block header"><${Text} of=${block.text} /></h3>`;

const Divider = () => html`<hr class="block" />`;

function Section({ block, state, surface }) {
  return html`<div class="block section">
    <div class="words">
      ${block.text && html`<div class="prose"><${Text} of=${block.text} /></div>`}
      ${block.fields && html`<div class="facts">${block.fields.map((f, i) => html`<div key=${i} class="prose"><${Text} of=${f} /></div>`)}</div>`}
    </div>
    ${block.accessory && html`<div class="accessory"><${Placed} ...${{ block, state, surface }} element=${block.accessory} /></div>`}
  </div>`;
}

function Context({ block }) {
  return html`<div class="block context">${block.elements.map((e, i) => html`<span key=${i}>${e.type === "image" ? html`<span class="picture"><${Icon} of="picture" /> ${e.alt_text}</span>` : html`<${Text} of=${e} />`}</span>`)}</div>`;
}

function Actions({ block, state, surface }) {
  return html`<div class="block actions">${block.elements.map((e) => html`<${Placed} key=${e.action_id} ...${{ block, state, surface }} element=${e} />`)}</div>`;
}

// Grouped are the elements that consist of several inputs: their label is that
// of a group, since a label belongs to one input only.
const grouped = ["radio_buttons", "checkboxes"];

function Input({ block, state, errors, surface }) {
  const id = useId();
  const error = errors?.[block.block_id];
  const said = [block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  const group = grouped.includes(block.element.type);
  const input = {
    label: `${id}-label`, dispatches: Boolean(block.dispatch_action),
    props: { id: group ? undefined : id, "aria-describedby": said, "aria-invalid": error ? "true" : undefined, "aria-required": block.optional ? undefined : "true" },
  };
  const label = html`<${Text} of=${block.label} />${block.optional && html` <span class="optional">(optional)</span>`}`;
  return html`<div class=${`block field ${error ? "wrong" : ""}`}>
    ${group ? html`<div class="label" id=${input.label}>${label}</div>` : html`<label class="label" id=${input.label} for=${id}>${label}</label>`}
    <${Placed} ...${{ block, state, surface, input }} element=${block.element} />
    ${error && html`<p class="error" id=${`${id}-error`}><span aria-hidden="true">⚠ </span>${error}</p>`}
    ${block.hint && html`<p class="hint" id=${`${id}-hint`}><${Text} of=${block.hint} /></p>`}
  </div>`;
}

// Pictures of elsewhere are not fetched: the page loads nothing from outside.
const Picture = ({ block }) => html`<figure class="block picture"><${Icon} of="picture" /> ${block.alt_text}${block.title && html`<figcaption><${Text} of=${block.title} /></figcaption>`}</figure>`;

const Rich = ({ block }) => html`<div class="block"><${RichText} parts=${block.elements} /></div>`;

const Marked = ({ block }) => html`<div class="block"><${Markdown} text=${block.text} /></div>`;

const kinds = {
  header: Header, divider: Divider, section: Section, context: Context, actions: Actions, input: Input,
  image: Picture, rich_text: Rich, markdown: Marked,
};

// Body is what a message says: its blocks, or its text when it has none.
export function Body({ message, channel }) {
  if (!message.blocks?.length) return html`<div class="prose"><${Text} of=${{ type: "mrkdwn", text: message.text }} /></div>`;
  return html`<${Blocks} blocks=${message.blocks} state=${message.state} surface=${{ channel, ts: message.ts }} />`;
}
