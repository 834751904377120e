/** The token that unsafe requests carry: from the page's <meta> (members) or from a form. */
export function csrfToken() {
  return (
    document.querySelector('meta[name="csrf-token"]')?.content ??
    document.querySelector('input[name="csrfmiddlewaretoken"]')?.value ??
    ""
  );
}

/** POST a form's worth of values. Returns the Response; throws only when nothing was sent. */
export function post(address, values = {}) {
  return fetch(address, {
    method: "POST",
    body: values instanceof FormData ? values : new URLSearchParams(values),
    headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" },
  });
}
