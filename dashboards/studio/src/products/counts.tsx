import "./products.css";
import type { Stock } from "@simulcast/api";

/** From here on the host should know that it is nearly gone. */
const LOW = 5;

export function Counts({ stock }: { stock: Stock }) {
  return (
    <dl className="counts number">
      <Count title="On hand" value={stock.on_hand} />
      <Count title="Held" value={stock.held} />
      <Count title="Sold" value={stock.committed} />
      <Count title="Left" value={stock.available} low={stock.available <= LOW} />
    </dl>
  );
}

function Count({ title, value, low = false }: { title: string; value: number; low?: boolean }) {
  return (
    <div className={low ? "low" : undefined}>
      <dt>{title}</dt>
      <dd>{value}</dd>
    </div>
  );
}
