// A guided tour in five steps, which can be left and taken up again. A step is
// done when the world shows that it is, however it was brought about.
import { html, useState, useEffect, useRef } from "./html.js";
import { useWorkspace, DIRECT } from "./workspace.js";
import { Icon } from "./icons.js";
import { kept } from "./kept.js";

const channel = "C0EMERGENCY";

const steps = [
  {
    title: "Ask, as the engineer",
    says: html`Type <code>/emergency</code> in <strong>#emergency</strong> and press Enter. Say why the release process can't be used, fill in the form, and press <strong>Request</strong>.`,
    see: "A card appears in #emergency, and a ticket in Jira. Nobody has access yet.",
    who: "U0ENGINEER", where: channel,
    done: (p, began) => cards(p) > began.cards,
  },
  {
    title: "Approve, as the CTO",
    says: html`breakglass has written to the CTO. Be the CTO, open <strong>Messages</strong>, and press <strong>Approve</strong>.`,
    see: "In AWS the engineer has access: a bar begins to grow.",
    who: "U0CTO", where: DIRECT,
    done: (p, began) => given(p) > began.given,
  },
  {
    title: "Work, and finish",
    says: html`Be the engineer again. <strong>Messages</strong> tells you how to get in. Press <strong>Finish</strong> there, and close the form without writing anything.`,
    see: "The access is taken back, and the bar ends. The record is owed now.",
    who: "U0ENGINEER", where: DIRECT,
    done: (p, began) => given(p) > began.given && live(p) === 0 && events(p, "access_gone") > began.gone, // seen by breakglass, too: time may be moved now
  },
  {
    title: "Forget the record",
    says: html`Press <strong>+12 h</strong> above. breakglass reminds the engineer: press <strong>Write record</strong>. Then sign off by a comment as the CTO, in the panel <strong>Jira</strong>. It counts within a minute; <strong>+10 min</strong> is quicker.`,
    see: "Reminders arrive as time goes by. The ticket holds what was done, and the sign-off is in the ledger.",
    who: "U0ENGINEER", where: DIRECT,
    done: (p, began) => events(p, "signed_off") > began.signed,
  },
  {
    title: "Review it",
    says: html`As the engineer press <strong>Write review</strong>, and open the panel <strong>Ledger</strong>. Then ask again, and switch on some <strong>Trouble</strong> first.`,
    see: "The change is closed, and its chain of events is whole. Whatever fails is made good later.",
    who: "U0ENGINEER", where: DIRECT,
    done: (p, began) => events(p, "review_submitted") > began.reviewed,
  },
];

const cards = (p) => p.slack.channels.find((c) => c.id === channel)?.messages.filter((m) => !m.thread && !m.ephemeral && m.blocks).length ?? 0;
const given = (p) => p.aws.bars.filter((b) => !b.standing).length;
const live = (p) => p.aws.bars.filter((b) => !b.standing && !b.to).length;
const events = (p, type) => (p.ledger.view.changes ?? []).flatMap((c) => c.events ?? []).filter((e) => e.type === type).length;

const beginning = (p) => ({ at: 0, cards: cards(p), given: given(p), gone: events(p, "access_gone"), signed: events(p, "signed_off"), reviewed: events(p, "review_submitted") });

export function Tour() {
  const { picture, be, go } = useWorkspace();
  const [tour, setTour] = useState(() => kept("tour", null) ?? beginning(picture)); // {at: -1}: left
  const save = (next) => { setTour(next); kept.set("tour", next); };
  const step = steps[tour.at];
  const done = step?.done(picture, tour);
  useEffect(() => { kept.set("tour", tour); }, [tour]);
  const box = useRef();
  useEffect(() => { box.current?.scrollIntoView({ block: "nearest" }); }, [tour.at]); // what stands beside may have been scrolled away

  if (tour.at < 0) return html`<p class="tour-again"><button type="button" class="button small" onClick=${() => save(beginning(picture))}>Take the guided tour</button></p>`;
  if (!step) return html`<section class="tour" aria-labelledby="tour"><header><h2 id="tour">That was the tour</h2></header><p>The rest is yours to try: be the deputy or the guest, ask as the CTO, break GitHub, kill breakglass.</p>
    <footer><button type="button" class="button primary" onClick=${() => save({ at: -1 })}>Close</button></footer></section>`;
  const next = () => save({ ...tour, at: tour.at + 1 });
  return html`<section ref=${box} class=${`tour ${done ? "done" : ""}`} aria-labelledby="tour">
    <header><h2 id="tour"><small>Step ${tour.at + 1} of ${steps.length}</small>${step.title}</h2><button type="button" class="close" aria-label="Leave the tour" onClick=${() => save({ at: -1 })}>×</button></header>
    <p>${step.says}</p>
    <p class="see"><${Icon} of="eye" /> ${step.see}</p>
    <footer>
      <p role="status">${done ? "✓ Done" : ""}</p>
      <button type="button" class="button" onClick=${() => { be(step.who); go(step.where); }}>Take me there</button>
      <button type="button" class=${`button ${done ? "primary" : ""}`} onClick=${next}>${done ? "Next" : "Skip"}</button>
    </footer>
  </section>`;
}
