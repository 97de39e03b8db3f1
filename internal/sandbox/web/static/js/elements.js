// The interactive elements of Block Kit, each with the input that a browser has
// for it. One that is not known here is shown as such, never left out.
import { html, useState, useEffect, useRef } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { Combobox } from "./combobox.js";
import { Icon } from "./icons.js";
import { Link } from "./mrkdwn.js";
import { Text } from "./text.js";
import { fromLocal, toLocal } from "./times.js";
import { keyOf, optionsOf, sameOption } from "./values.js";

// Element renders one element. `at` says where it stands; `fromServer` is what
// the workspace holds for it; `input` carries the ids of its label and error.
export function Element({ at, element, fromServer, input = {} }) {
  const { sending, confirm } = useWorkspace();
  const key = keyOf(element.type);
  const [draft, setDraft] = useDraft(fromServer, key);
  const value = draft?.[key];
  const put = async (chosen) => {
    if (element.confirm && !(await confirm(element.confirm))) return;
    const next = { type: element.type, [key]: chosen };
    setDraft(next);
    sending.act("put", { at, value: next });
  };
  const Kind = kinds[element.type];
  if (!Kind) return html`<${Unknown} what="element" type=${element.type} />`;
  return html`<${Kind} ...${{ at, element, value, put, input, setDraft }} />`;
}

export function Unknown({ what, type }) {
  return html`<p class="unknown">Unknown ${what}: <code>${type ?? "without a type"}</code></p>`;
}

// useDraft shows what was done here at once, until the workspace shows the same.
function useDraft(fromServer, key) {
  const [draft, setDraft] = useState();
  const same = draft && JSON.stringify(draft[key]) === JSON.stringify(fromServer?.[key]);
  useEffect(() => { if (same) setDraft(undefined); }, [same]);
  return [draft ?? fromServer, setDraft];
}

function Button({ at, element }) {
  const { sending, confirm } = useWorkspace();
  const [busy, setBusy] = useState(false);
  const press = async () => {
    if (busy || (element.confirm && !(await confirm(element.confirm)))) return;
    setBusy(true);
    await sending.act("press", { at });
    setBusy(false);
  };
  if (element.url) return html`<${Link} url=${element.url}><span class="button" onClick=${press}>${element.text.text}</span><//>`;
  return html`<button type="button" class=${`button ${element.style ?? ""}`} aria-busy=${busy} aria-label=${element.accessibility_label} onClick=${press}><${Text} of=${element.text} /></button>`;
}

const Image = ({ element }) => html`<span class="picture"><${Icon} of="picture" /> ${element.alt_text}</span>`;

function Overflow({ element, put }) {
  const [open, setOpen] = useState(false);
  const shut = (event) => { if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false); };
  return html`<div class="overflow" onFocusOut=${shut} onKeyDown=${(e) => e.key === "Escape" && setOpen(false)}>
    <button type="button" class="button" aria-haspopup="true" aria-expanded=${open} aria-label="More" onClick=${() => setOpen(!open)}>⋯</button>
    ${open && html`<div class="popup menu">${element.options.map((o) => html`<button type="button" key=${o.value} onClick=${() => { setOpen(false); put(o); }}><${Text} of=${o.text} /></button>`)}</div>`}
  </div>`;
}

// Typed is a text. It is sent when its writer pauses; where breakglass wants to
// hear of it, only when it is done with, since each sending is told.
function Typed({ at, element, value, input, setDraft }) {
  const { sending } = useWorkspace();
  const told = useRef(value ?? "");
  const type = (event) => {
    const next = { type: element.type, value: event.target.value };
    setDraft(next);
    if (!input.dispatches) sending.type(at, next);
  };
  const done = (event) => {
    if (!input.dispatches || event.target.value === told.current) return;
    told.current = event.target.value;
    sending.act("put", { at, value: { type: element.type, value: told.current } });
  };
  const onKeyDown = (event) => {
    if (event.key === "Enter" && input.dispatches && !element.multiline) { event.preventDefault(); done(event); }
  };
  const common = {
    ...input.props, value: value ?? "", onInput: type, onBlur: done, onKeyDown,
    placeholder: element.placeholder?.text, maxLength: element.max_length, "data-first": element.focus_on_load,
  };
  if (element.multiline) return html`<textarea rows="3" ...${common}></textarea>`;
  const kind = { url_text_input: "url", email_text_input: "email", number_input: "number" }[element.type] ?? "text";
  return html`<input type=${kind} step=${element.is_decimal_allowed ? "any" : undefined} min=${element.min_value} max=${element.max_value} ...${common} />`;
}

function StaticSelect({ element, value, put, input }) {
  const options = optionsOf(element);
  const row = (o) => html`<option key=${o.value} value=${options.indexOf(o)}>${o.text.text}${o.description ? ` – ${o.description.text}` : ""}</option>`;
  const at = options.findIndex((o) => sameOption(o, value));
  return html`<select ...${input.props} aria-label=${input.props ? undefined : element.placeholder?.text} value=${at < 0 ? "" : String(at)} onChange=${(e) => put(options[e.target.value] ?? null)}>
    <option value="">${element.placeholder?.text ?? "Choose …"}</option>
    ${element.option_groups ? element.option_groups.map((g) => html`<optgroup key=${g.label.text} label=${g.label.text}>${g.options.map(row)}</optgroup>`) : options.map(row)}
  </select>`;
}

// choiceOf turns an option into what the combobox shows.
const choiceOf = (option, group) => ({ key: option.value, text: option.text.text, description: option.description?.text, group, value: option });

// Searched is any list that is searched: by breakglass, in the options at hand,
// among the people or among the channels.
function Searched({ at, element, value, put, input }) {
  const { sending, picture } = useWorkspace();
  const several = element.type.startsWith("multi_");
  const local = localChoices(element, picture);
  const matching = (query) => local.filter((c) => `${c.text} ${c.description ?? ""}`.toLowerCase().includes(query.toLowerCase()));
  const asked = async (query) => {
    const said = await sending.act("suggest", { at, query });
    return (said?.options ?? []).map((o) => choiceOf(o));
  };
  const held = several ? value ?? [] : value ? [value] : [];
  const chosen = held.map((v) => (typeof v === "string" ? local.find((c) => c.key === v) ?? { key: v, text: v, value: v } : choiceOf(v)));
  const change = (choices) => { const all = choices.map((c) => c.value); put(several ? all : all[0] ?? null); };
  const external = element.type.endsWith("external_select");
  return html`<${Combobox} find=${external ? asked : matching} chosen=${chosen} several=${several} most=${element.max_selected_items}
    least=${external ? element.min_query_length ?? 3 : 0} placeholder=${element.placeholder?.text ?? "Choose …"} onChange=${change}
    inputProps=${input.props ?? { "aria-label": element.placeholder?.text ?? "Choose" }} />`;
}

function localChoices(element, picture) {
  const kind = element.type.replace("multi_", "");
  if (kind === "users_select") return picture.people.people.filter((p) => !p.bot).map((p) => ({ key: p.id, text: p.name, value: p.id, description: p.guest ? "guest" : undefined }));
  if (kind === "conversations_select" || kind === "channels_select") return picture.slack.channels.filter((c) => !c.direct).map((c) => ({ key: c.id, text: `#${c.name}`, value: c.id }));
  if (element.option_groups) return element.option_groups.flatMap((g) => g.options.map((o) => choiceOf(o, g.label.text)));
  return (element.options ?? []).map((o) => choiceOf(o));
}

// Marks is radio buttons or checkboxes.
function Marks({ at, element, value, put, input }) {
  const several = element.type === "checkboxes";
  const has = (o) => (several ? (value ?? []).some((v) => sameOption(v, o)) : sameOption(value, o));
  const toggle = (o, on) => put(several ? element.options.filter((x) => (sameOption(x, o) ? on : has(x))) : o);
  return html`<div class="marks" role=${several ? "group" : "radiogroup"} aria-labelledby=${input.label} aria-describedby=${input.props?.["aria-describedby"]}>
    ${element.options.map((o) => html`<label key=${o.value} class="mark">
      <input type=${several ? "checkbox" : "radio"} name=${`${at.block} ${at.action} ${at.ts ?? ""}`} checked=${has(o)} aria-invalid=${input.props?.["aria-invalid"]} onChange=${(e) => toggle(o, e.target.checked)} />
      <span><${Text} of=${o.text} />${o.description && html`<small><${Text} of=${o.description} /></small>`}</span></label>`)}
  </div>`;
}

// Moment is a date, a time, or both; both are a moment in the person's time zone.
function Moment({ element, value, put, input }) {
  const { zone } = useWorkspace();
  const kind = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" }[element.type];
  const both = kind === "datetime-local";
  const shown = value == null ? "" : both ? toLocal(value, zone) : value;
  const change = (event) => {
    const typed = event.target.value;
    put(!typed ? null : both ? fromLocal(typed, zone) : typed);
  };
  return html`<span class="moment"><input type=${kind} ...${input.props} aria-label=${input.props ? undefined : element.placeholder?.text} value=${shown} onChange=${change} />${both && html`<small>${zone}</small>`}</span>`;
}

const kinds = {
  button: Button, image: Image, overflow: Overflow,
  plain_text_input: Typed, url_text_input: Typed, email_text_input: Typed, number_input: Typed,
  static_select: StaticSelect, external_select: Searched, users_select: Searched, conversations_select: Searched, channels_select: Searched,
  multi_static_select: Searched, multi_external_select: Searched, multi_users_select: Searched, multi_conversations_select: Searched, multi_channels_select: Searched,
  radio_buttons: Marks, checkboxes: Marks, datepicker: Moment, timepicker: Moment, datetimepicker: Moment,
};
