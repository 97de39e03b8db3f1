// Trouble: break GitHub, make other systems misbehave, kill breakglass.
import { html, useState } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { post } from "./api.js";

const conditions = { operational: "works", degraded_performance: "is slow", partial_outage: "works in part", major_outage: "is down" };

export function Outside() {
  const { picture, tell } = useWorkspace();
  const [restarting, setRestarting] = useState(false);
  const broken = picture.github.some((c) => c.condition !== "operational");
  const send = (path, body) => post(path, body).catch((error) => tell(error.message));
  const restart = async () => {
    setRestarting(true);
    await send("restart");
    setRestarting(false);
  };
  return html`<section><h3>GitHub's status page</h3>
      <ul class="conditions">${picture.github.map((c) => html`<li key=${c.name} class=${c.condition === "operational" ? "" : "bad"}>${c.name} ${conditions[c.condition] ?? c.condition}</li>`)}</ul>
      <button type="button" class="button" onClick=${() => send("github", { broken: !broken })}>${broken ? "Mend GitHub" : "Break GitHub"}</button>
    </section>
    <section><h3>Make something misbehave</h3>
      ${picture.trouble.switches.map((s) => html`<label class="switch" key=${s.name}><input type="checkbox" role="switch" checked=${s.on} onChange=${(e) => send("trouble", { name: s.name, on: e.target.checked })} /><span>${s.says}</span></label>`)}
    </section>
    ${picture.trouble.restartable && html`<section><h3>Kill breakglass</h3>
      <p>Killed as by a power cut, and started again. Nothing may be lost and nothing may happen twice.</p>
      <button type="button" class="button danger" aria-busy=${restarting} disabled=${restarting} onClick=${restart}>${restarting ? "Starting again …" : "Kill and restart breakglass"}</button>
    </section>`}
    ${picture.trouble.violations > 0 && html`<p class="wrong-count" role="status">The stand-ins have refused ${picture.trouble.violations} things that the real systems would refuse too.</p>`}`;
}
