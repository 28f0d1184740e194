/** Where no real money moves: test cards to choose from, beside the gateway's own fields if there are any. */

import { withoutScript } from "./bank";
import { NO_BANK, PaymentProblem } from "./problem";
import type { PaymentAction, PaymentWidget } from "./widget";

const OWN = "own";

export class TestCards implements PaymentWidget {
  private chosen: string;
  private drawn: HTMLElement | null = null;

  constructor(
    private readonly sources: string[],
    private readonly fields: PaymentWidget | null,
  ) {
    this.chosen = sources[0] ?? OWN;
  }

  async mount(into: HTMLElement): Promise<void> {
    const group = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = "Test mode: no real money moves";
    const own = document.createElement("div");
    group.append(legend);
    this.sources.forEach((source) => {
      group.append(this.choice(source, named(source), () => this.fields?.unmount()));
    });
    const { fields } = this;
    if (fields) group.append(this.choice(OWN, "Enter a card", () => void this.open(fields, own)), own);
    this.drawn = group;
    into.append(group);
  }

  async source(): Promise<string> {
    if (this.chosen !== OWN) return this.chosen;
    if (!this.fields) throw new PaymentProblem("Choose a test card.");
    return this.fields.source();
  }

  async act(action: PaymentAction): Promise<Record<string, string>> {
    if (this.fields) return this.fields.act(action);
    const plain = withoutScript(action);
    if (plain) return plain;
    throw new PaymentProblem(NO_BANK);
  }

  unmount(): void {
    this.fields?.unmount();
    this.drawn?.remove();
    this.drawn = null;
  }

  private choice(value: string, name: string, onChoose: () => void): HTMLLabelElement {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = "pay-test-card";
    radio.value = value;
    radio.checked = value === this.chosen;
    radio.addEventListener("change", () => {
      this.chosen = value;
      onChoose();
    });
    label.append(radio, ` ${name}`);
    return label;
  }

  private async open(fields: PaymentWidget, into: HTMLElement): Promise<void> {
    into.textContent = "";
    try {
      await fields.mount(into);
    } catch (error) {
      into.textContent = error instanceof PaymentProblem ? error.message : "";
      into.setAttribute("role", "alert");
    }
  }
}

/** What happens with a test card, as far as its name at the gateway tells. */
function named(source: string): string {
  if (/declin|refus/i.test(source)) return "Test card that is declined";
  if (/three|3ds|challenge/i.test(source)) return "Test card whose bank asks first";
  return "Test card that pays";
}
