// A person's picture: the initials on a colour of their own.
import { html } from "./html.js";

const hues = 8;

export function Avatar({ id, name, bot }) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) % 9973;
  const initials = bot ? "⚡" : name.split(/[\s-]+/).map((w) => w[0]).join("").slice(0, 2);
  return html`<span class=${`avatar ${bot ? "bot" : `hue-${sum % hues}`}`} aria-hidden="true">${initials}</span>`;
}
