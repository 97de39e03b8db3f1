// The stream by which the page hears of everything. Each event carries one whole
// section of the picture, so there is nothing to merge and nothing to miss.
const sections = ["clock", "slack", "people", "aws", "jira", "incidents", "forges", "github", "ledger", "trouble"];

// watch follows what one person sees until the answer is called.
export function watch(person, { onSection, onConnected }) {
  const source = new EventSource(`/api/live?as=${encodeURIComponent(person)}`);
  source.onopen = () => onConnected(true);
  source.onerror = () => onConnected(false); // the browser tries again by itself
  for (const name of sections) {
    source.addEventListener(name, (event) => onSection(name, JSON.parse(event.data)));
  }
  return () => source.close();
}
