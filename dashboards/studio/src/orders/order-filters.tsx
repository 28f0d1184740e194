import type { OrderFilter } from "@simulcast/api";
import { type FormEvent, useState } from "react";
import { SelectField } from "../parts/select-field";
import { TextField } from "../parts/text-field";
import { platformName } from "../parts/words";
import { ORDER_STATES } from "../show/orders/order-words";

interface Props {
  filter: OrderFilter;
  onFilter: (filter: OrderFilter) => void;
  exportUrl: (kind: "csv" | "json", filter: OrderFilter) => string;
}

const CHANNELS = ["own", "shopify", "tiktok_shop", "woocommerce"];
const ANY = { value: "", title: "All" };

/** What to list; the files hold the same. */
export function OrderFilters({ filter, onFilter, exportUrl }: Props) {
  const [words, setWords] = useState(filter.q ?? "");
  const search = (event: FormEvent) => {
    event.preventDefault();
    onFilter({ ...filter, q: words.trim() });
  };
  return (
    <search className="card stack">
      <form className="row search" onSubmit={search}>
        <TextField
          label="Search"
          type="search"
          placeholder="Number, name, SKU or e-mail"
          value={words}
          onText={setWords}
        />
        <button className="primary">Search</button>
      </form>
      <div className="order-filters">
        <SelectField
          label="State"
          value={filter.state ?? ""}
          options={[ANY, ...Object.entries(ORDER_STATES).map(([value, { label }]) => ({ value, title: label }))]}
          onChoose={(state) => onFilter({ ...filter, state })}
        />
        <SelectField
          label="Channel"
          value={filter.channel ?? ""}
          options={[ANY, ...CHANNELS.map((value) => ({ value, title: platformName(value) }))]}
          onChoose={(channel) => onFilter({ ...filter, channel })}
        />
        <TextField
          label="From"
          type="date"
          value={dayIn(filter.since)}
          onText={(day) => onFilter({ ...filter, since: beginOf(day) })}
        />
        <TextField
          label="Up to"
          type="date"
          value={dayIn(filter.until, -1)}
          onText={(day) => onFilter({ ...filter, until: beginOf(day, 1) })}
        />
      </div>
      <p className="quiet-text">
        Save these orders as <a href={exportUrl("csv", filter)}>a table (CSV)</a> or as{" "}
        <a href={exportUrl("json", filter)}>data (JSON)</a>.
      </p>
    </search>
  );
}

/** The moment a day begins where the reader is, some days later; empty for no day. */
export function beginOf(day: string, later = 0): string {
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
  return day ? new Date(year, month - 1, date + later).toISOString() : "";
}

/** The reader's own calendar day of a moment, some days later. */
export function dayIn(iso: string | undefined, later = 0): string {
  if (!iso) return "";
  const at = new Date(iso);
  const day = new Date(at.getFullYear(), at.getMonth(), at.getDate() + later);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}
