/** Where gateways' scripts can find their fields: in the document itself, shown through slots. */

let places = 0;

/** A place that is shown where `into` is. Inside shadow roots it is handed outwards, slot by slot. */
export class Place {
  readonly element: HTMLElement;
  private readonly parts: HTMLElement[] = [];

  constructor(into: HTMLElement) {
    let inner = into;
    for (let root = inner.getRootNode(); root instanceof ShadowRoot; root = inner.getRootNode()) {
      const name = `pay-${++places}`;
      const slot = document.createElement("slot");
      slot.name = name;
      inner.append(slot);
      const outer = document.createElement("div");
      outer.slot = name;
      root.host.append(outer);
      this.parts.push(slot, outer);
      inner = outer;
    }
    this.element = document.createElement("div");
    inner.append(this.element);
    this.parts.push(this.element);
  }

  remove(): void {
    for (const part of this.parts.splice(0).reverse()) part.remove();
  }
}
