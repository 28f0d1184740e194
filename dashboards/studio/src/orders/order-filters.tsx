import type { OrderFilter } from "@simulcast/api";
import { SaveAs, SearchForm } from "../parts/search-form";
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
  return (
    <search className="card stack">
      <SearchForm
        placeholder="Number, name, SKU or e-mail"
        first={filter.q}
        onSearch={(q) => onFilter({ ...filter, q })}
      />
      <div className="filters">
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
      <SaveAs what="orders" urlOf={(kind) => exportUrl(kind, filter)} />
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
