// What the page does, one call for each deed. An error's message is written for
// people; an empty one means that the answer stands in the page already.
export async function post(path, body = {}) {
  let response;
  try {
    response = await fetch(`/api/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    throw new Error("The workspace does not answer. Is the demo still running?");
  }
  const said = await response.json().catch(() => ({ error: `The workspace answered with status ${response.status}.` }));
  if (!response.ok) throw new Error(said.error ?? "");
  return said;
}
