// What the page remembers for as long as its window lives.
export function kept(key, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(`breakglass ${key}`)) ?? otherwise;
  } catch {
    return otherwise; // nothing can be kept here, or something else was
  }
}

kept.set = (key, value) => {
  try {
    sessionStorage.setItem(`breakglass ${key}`, JSON.stringify(value));
  } catch {
    // a browser that keeps nothing forgets it when the page is loaded again
  }
};
