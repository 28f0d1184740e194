import type { ChannelMoney, FigureScope, MoneyRow, Value } from "@simulcast/api";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Empty } from "../parts/empty";
import { Loading } from "../parts/loading";
import { Problem } from "../parts/problem";
import { SelectField } from "../parts/select-field";
import { platformName, plural } from "../parts/words";
import { Defined } from "./defined";
import { count, currenciesOf, money, NOTHING, OFFER_KINDS, percent, placeWords, sourceWords } from "./figure-words";
import { Files } from "./files";
import { FIGURES, useAnalytics, useDefinitions } from "./use-analytics";

const CHANNELS = ["own", "shopify", "tiktok_shop", "woocommerce"];
const ALL = { value: "", title: "All" };

/** What the orders brought, in all and by where they were placed; people and reservations beside it. */
export function ValueCard({ scope }: { scope: FigureScope }) {
  const api = useAnalytics();
  const [more, setMore] = useState<FigureScope>({});
  const asked = { ...scope, ...more };
  const value = useQuery({
    queryKey: [...FIGURES, "value", asked],
    queryFn: ({ signal }) => api.value(asked, signal),
    placeholderData: keepPreviousData,
  });
  return (
    <section className="card stack" aria-labelledby="value" aria-busy={value.isPlaceholderData}>
      <h2 id="value">What it was worth</h2>
      <div className="figure-filters">
        <SelectField
          label="Bought in"
          value={more.channel ?? ""}
          options={[ALL, ...CHANNELS.map((one) => ({ value: one, title: platformName(one) }))]}
          onChoose={(channel) => setMore({ ...more, channel })}
        />
        <SelectField
          label="Kind of offer"
          value={more.offer_kind ?? ""}
          options={[ALL, ...Object.entries(OFFER_KINDS).map(([kind, title]) => ({ value: kind, title }))]}
          onChoose={(offer_kind) => setMore({ ...more, offer_kind })}
        />
      </div>
      {value.error && <Problem error={value.error} retry={() => void value.refetch()} />}
      {value.isPending && <Loading what="figures" />}
      {value.data && <Figures value={value.data} />}
      {value.data && value.data.totals.length > 0 && <Files table="value" of="the money" scope={asked} />}
    </section>
  );
}

function Figures({ value }: { value: Value }) {
  const [wanted, setWanted] = useState("");
  const currencies = currenciesOf(value.totals);
  const currency = currencies.includes(wanted) ? wanted : (currencies[0] ?? "");
  const total = value.totals.find((row) => row.currency === currency);
  return (
    <>
      {currencies.length > 1 && (
        <SelectField
          label="Currency"
          value={currency}
          options={currencies.map((one) => ({ value: one, title: one }))}
          onChoose={setWanted}
        />
      )}
      {total ? (
        <>
          <Sums row={total} />
          <Places rows={value.channels.filter((row) => row.currency === currency)} />
        </>
      ) : (
        <Empty title="No orders in this choice">Choose another show or other days, or wait for the first order.</Empty>
      )}
      <People value={value} />
    </>
  );
}

/** From the list price down to what was earned. */
const DOWN: { key: keyof MoneyRow; sign: string }[] = [
  { key: "gross_minor", sign: "" },
  { key: "discounts_minor", sign: "− " },
  { key: "added_minor", sign: "+ " },
  { key: "cancelled_minor", sign: "− " },
  { key: "refunded_minor", sign: "− " },
  { key: "kept_minor", sign: "= " },
  { key: "tax_minor", sign: "− " },
  { key: "shipping_minor", sign: "− " },
  { key: "net_minor", sign: "= " },
  { key: "cost_minor", sign: "− " },
  { key: "margin_minor", sign: "= " },
];

function Sums({ row }: { row: MoneyRow }) {
  const words = useDefinitions();
  return (
    <>
      <dl className="sums number">
        {DOWN.map(({ key, sign }) => (
          <div key={key} className={sign === "= " ? "sum-line" : undefined}>
            <dt>
              <Defined figure={words.get(key)} />
            </dt>
            <dd>
              {sign}
              {money(row[key] as number, row.currency)}
            </dd>
          </div>
        ))}
      </dl>
      {row.lines_without_cost > 0 && (
        <p className="quiet-text">
          {plural(row.lines_without_cost, "order line has", "order lines have")} no known cost of {row.lines}: the margin
          is at most this. Enter costs under Products.
        </p>
      )}
      <dl className="facts number">
        <Fact figure="orders" text={count(row.orders)} />
        <Fact figure="aov_minor" text={money(row.aov_minor, row.currency)} />
        <Fact figure="units_per_order" text={row.units_per_order === null ? NOTHING : row.units_per_order.toFixed(1)} />
        <Fact figure="revenue_per_viewer_minor" text={money(row.revenue_per_viewer_minor, row.currency)} />
        <Fact figure="gpm_minor" text={money(row.gpm_minor, row.currency)} />
        <Fact figure="return_rate" text={percent(row.return_rate)} />
      </dl>
    </>
  );
}

function Fact({ figure, text }: { figure: string; text: string }) {
  const words = useDefinitions();
  return (
    <div>
      <dt>
        <Defined figure={words.get(figure)} />
      </dt>
      <dd>{text}</dd>
    </div>
  );
}

function Places({ rows }: { rows: ChannelMoney[] }) {
  const words = useDefinitions();
  return (
    <div className="wide" tabIndex={0} role="region" aria-label="Where it was bought">
      <table className="figures number">
        <caption>Where it was bought</caption>
        <thead>
          <tr>
            <th scope="col">Shop</th>
            {["orders", "net_minor", "margin_minor", "aov_minor", "return_rate"].map((key) => (
              <th key={key} scope="col">
                <Defined figure={words.get(key)} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.channel}>
              <th scope="row" className="wrap">
                {platformName(row.channel)}
                <span className="quiet-text below">{placeWords(row.place)}</span>
              </th>
              <td>{row.orders}</td>
              <td>{money(row.net_minor, row.currency)}</td>
              <td>{money(row.margin_minor, row.currency)}</td>
              <td>{money(row.aov_minor, row.currency)}</td>
              <td>{percent(row.return_rate)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function People({ value: { audience, holds } }: { value: Value }) {
  return (
    <>
      <h3>People</h3>
      <p className="quiet-text">{sourceWords(audience.source)}</p>
      <dl className="facts number">
        <Fact figure="viewers" text={count(audience.viewers)} />
        <Fact figure="buyers" text={count(audience.buyers)} />
        <Fact figure="conversion" text={percent(audience.conversion)} />
        <Fact figure="ctor" text={audience.ctor === null ? NOTHING : audience.ctor.toFixed(2)} />
        <Fact figure="repeat_rate" text={percent(audience.repeat_rate)} />
        <Fact figure="repeat_30" text={percent(audience.repeat_30)} />
        <Fact figure="repeat_90" text={percent(audience.repeat_90)} />
      </dl>
      <h3>Reservations</h3>
      <dl className="facts number">
        <Fact figure="holds" text={count(holds.holds)} />
        <Fact figure="holds_converted" text={count(holds.holds_converted)} />
        <Fact figure="holds_expired" text={count(holds.holds_expired)} />
        <Fact figure="pay_seconds" text={holds.pay_seconds === null ? NOTHING : `${Math.round(holds.pay_seconds)} s`} />
        <Fact figure="lost_demand" text={count(holds.lost_demand)} />
      </dl>
    </>
  );
}
