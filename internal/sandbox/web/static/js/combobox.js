// A list that is searched by typing, for one choice or several, after the
// pattern of WAI-ARIA: the focus stays in the input, arrows move in the list,
// Enter chooses, Escape closes the list only.
import { html, useState, useEffect, useRef, useId } from "./html.js";

const pause = 150; // milliseconds without typing before a search

// Combobox takes choices as {key, text, description, group, value}; find answers
// them for a query, as a promise or at once.
export function Combobox({ find, chosen, several, most, least = 0, placeholder, onChange, inputProps }) {
  const [open, setOpen] = useState(false);
  const [query, setQuery] = useState("");
  const [offered, setOffered] = useState(null); // null: not searched yet
  const [at, setAt] = useState(0);
  const list = useId(), box = useRef(), asked = useRef(0);

  useEffect(() => {
    if (!open || query.length < least) { setOffered(null); return undefined; }
    const mine = ++asked.current;
    const timer = setTimeout(async () => {
      const found = await find(query);
      if (mine === asked.current) { setOffered(found ?? []); setAt(0); }
    }, query ? pause : 0);
    return () => clearTimeout(timer);
  }, [open, query]);

  useEffect(() => { box.current?.querySelector(`[data-at="${at}"]`)?.scrollIntoView({ block: "nearest" }); }, [at, offered]);

  const has = (choice) => chosen.some((c) => c.key === choice.key);
  const full = several && most && chosen.length >= most;
  const close = () => { setOpen(false); setQuery(""); };
  const choose = (choice) => {
    if (!several) { onChange([choice]); close(); return; }
    if (has(choice)) onChange(chosen.filter((c) => c.key !== choice.key));
    else if (!full) onChange([...chosen, choice]);
    setQuery("");
  };
  const onKeyDown = (event) => {
    const last = (offered?.length ?? 0) - 1;
    switch (event.key) {
      case "ArrowDown": event.preventDefault(); if (open) setAt(Math.min(at + 1, last)); else setOpen(true); break;
      case "ArrowUp": event.preventDefault(); setAt(Math.max(at - 1, 0)); break;
      case "Enter":
        if (open) { event.preventDefault(); if (offered?.[at]) choose(offered[at]); }
        break;
      case "Escape": if (open) { event.preventDefault(); event.stopPropagation(); close(); } break;
      case "Backspace": if (several && !query && chosen.length) onChange(chosen.slice(0, -1)); break;
    }
  };
  const left = (event) => { if (!box.current.contains(event.relatedTarget)) close(); };

  let group;
  const rows = (offered ?? []).flatMap((choice, i) => {
    const heading = choice.group && choice.group !== group ? [html`<li class="group" role="presentation" key=${`group ${choice.group}`}>${choice.group}</li>`] : [];
    group = choice.group;
    return [...heading, html`<li key=${choice.key} id=${`${list}-${i}`} data-at=${i} role="option" aria-selected=${has(choice)} class=${i === at ? "at" : ""}
      onMouseDown=${(e) => e.preventDefault()} onMouseMove=${() => setAt(i)} onClick=${() => choose(choice)}>
      <span>${choice.text}${has(choice) && html`<span class="mark" aria-hidden="true"> ✓</span>`}</span>
      ${choice.description && html`<small>${choice.description}</small>`}
    </li>`];
  });
  const note = query.length < least ? `Type at least ${least} letters to search` : offered === null ? "Searching …" : offered.length === 0 ? "Nothing found" : full ? `At most ${most}` : "";
  const shown = open || several ? query : chosen[0]?.text ?? "";
  return html`<div class="combobox" ref=${box} onFocusOut=${left}>
    ${several && chosen.length > 0 && html`<ul class="chips">${chosen.map((c) => html`<li key=${c.key}>${c.text}
      <button type="button" aria-label=${`Remove ${c.text}`} onClick=${() => onChange(chosen.filter((o) => o.key !== c.key))}>×</button></li>`)}</ul>`}
    <div class="combobox-input">
      <input ...${inputProps} type="text" role="combobox" autocomplete="off" aria-expanded=${open} aria-controls=${list} aria-autocomplete="list"
        aria-activedescendant=${open && offered?.length ? `${list}-${at}` : undefined} placeholder=${(!several && chosen[0]?.text) || placeholder} value=${shown}
        onClick=${() => setOpen(true)} onInput=${(e) => { setQuery(e.target.value); setOpen(true); }} onKeyDown=${onKeyDown} />
      ${!several && chosen.length > 0 && !open && html`<button type="button" class="clear" aria-label="Clear the choice" onClick=${() => onChange([])}>×</button>`}
    </div>
    ${open && html`<div class="popup"><ul id=${list} role="listbox" aria-multiselectable=${several ? "true" : undefined}>${rows}</ul>
      ${note && html`<p class="note" role="status">${note}</p>`}</div>`}
  </div>`;
}
