// The line above all: the clock of everything and the buttons that move it.
import { html, useState, useEffect } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { post } from "./api.js";
import { kept } from "./kept.js";
import { dayAndTime } from "./times.js";

const steps = [[10, "10 min"], [60, "1 h"], [720, "12 h"], [1440, "24 h"]];

export function Top({ connected, menu, onMenu, unread }) {
  return html`<header class="top">
    <button type="button" class="menu-button" aria-label="People and channels" aria-expanded=${menu} onClick=${onMenu}>☰${unread && html`<span class="dot"></span>`}</button>
    <p class="brand"><img src="icon.svg" alt="" width="22" height="22" /><strong>breakglass</strong><span class="sub">local workspace</span></p>
    <p class=${`status ${connected ? "" : "lost"}`} role="status">${connected ? "" : "The connection is lost; trying again …"}</p>
    <${Clock} />
    <${Theme} />
  </header>`;
}

function Clock() {
  const { picture, now, zone, tell } = useWorkspace();
  const [, tick] = useState(0);
  const [moving, setMoving] = useState(false);
  useEffect(() => { const timer = setInterval(() => tick((n) => n + 1), 1000); return () => clearInterval(timer); }, []);
  const forward = async (minutes) => {
    setMoving(true);
    await post("clock", { minutes }).catch((error) => tell(error.message));
    setMoving(false);
  };
  return html`<div class="clock" role="group" aria-label="Time">
    <time data-now=${picture.clock.now}>${dayAndTime(now(), zone)}</time>
    ${picture.clock.movable && steps.map(([minutes, label]) => html`<button key=${minutes} type="button" class="button small" disabled=${moving} title=${`Move the clock of everything by ${label}`} onClick=${() => forward(minutes)}><span aria-hidden="true">+</span><span class="hidden">Forward </span>${label}</button>`)}
  </div>`;
}

const themes = { "": ["◐", "as the system has it"], light: ["☀", "light"], dark: ["☾", "dark"] };

function Theme() {
  const [theme, setTheme] = useState(kept("theme", ""));
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    kept.set("theme", theme);
  }, [theme]);
  const names = Object.keys(themes);
  const [sign, label] = themes[theme];
  return html`<button type="button" class="button small theme" aria-label=${`Colours: ${label}. Change`} title=${`Colours: ${label}`} onClick=${() => setTheme(names[(names.indexOf(theme) + 1) % names.length])}>${sign}</button>`;
}
