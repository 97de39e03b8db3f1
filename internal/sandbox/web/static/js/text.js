// A text object of Block Kit: plain text as it is, mrkdwn as it reads.
import { html } from "./html.js";
import { useWorkspace } from "./workspace.js";
import { mrkdwn } from "./mrkdwn.js";
import { emoji } from "./emoji.js";

export function Text({ of }) {
  const { reader } = useWorkspace();
  if (!of) return null;
  return of.type === "mrkdwn" ? html`<span class="prose">${mrkdwn(of.text, reader)}</span>` : emoji(of.text);
}
