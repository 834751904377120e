/* <chart-cursor> round a chart's drawings: a line, a dot and the words of the step under the pointer.
   The words are each step's own <title>, which does without scripts what this does sooner. */
class ChartCursor extends HTMLElement {
  connectedCallback() {
    this.addEventListener("pointermove", (event) => this.show(event.target.closest?.(".hit")));
    this.addEventListener("pointerdown", (event) => this.show(event.target.closest?.(".hit")));
    this.addEventListener("pointerleave", () => this.show(null));
  }

  show(hit) {
    if (hit === this.hit) return;
    this.hit = hit;
    for (const drawing of this.querySelectorAll(".chart")) {
      const here = hit?.ownerSVGElement === drawing;
      drawing.querySelector(".cursor").setAttribute("visibility", here ? "visible" : "hidden");
      drawing.querySelector(".end").setAttribute("visibility", here ? "hidden" : "visible");
      if (here) this.move(drawing, hit);
    }
  }

  move(drawing, hit) {
    const { x, y } = hit.dataset;
    const cursor = drawing.querySelector(".cursor");
    const line = cursor.querySelector("line");
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    cursor.querySelector("circle").setAttribute("cx", x);
    cursor.querySelector("circle").setAttribute("cy", y);
    const text = cursor.querySelector("text");
    text.textContent = hit.querySelector("title").textContent;
    // Beside the line, turned so that it stays inside.
    const half = text.getComputedTextLength() / 2;
    const width = drawing.viewBox.baseVal.width;
    text.setAttribute("x", Math.min(Math.max(x, half), width - half));
    text.setAttribute("text-anchor", "middle");
  }
}

customElements.define("chart-cursor", ChartCursor);
