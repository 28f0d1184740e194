import { type Drift, type Shop, ShopsApi } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { Pill } from "../parts/pill";
import { PlatformBadge } from "../parts/platform-badge";
import { Problem } from "../parts/problem";
import { driftNumbers, driftTimes, shopSentences, shopState, shopTimes } from "./shop-words";

const SHOPS = ["shops"];
const LOOK_MS = 15_000;
/** Of what was put right, enough to see a pattern. */
const MOST_HEALED = 20;

/** Each linked shop: whether it is in step with us, and where its numbers were not ours. */
export function ShopReport() {
  const api = useMemo(() => new ShopsApi(), []);
  const shops = useQuery({
    queryKey: [...SHOPS, "all"],
    queryFn: ({ signal }) => api.shops(signal),
    refetchInterval: LOOK_MS,
  });
  const drift = useQuery({
    queryKey: [...SHOPS, "drift"],
    queryFn: ({ signal }) => api.drift(signal),
    refetchInterval: LOOK_MS,
    enabled: Boolean(shops.data?.length),
  });
  if (shops.error) return <Problem error={shops.error} retry={() => void shops.refetch()} />;
  if (!shops.data?.length) return null;
  const open = drift.data?.filter((one) => !one.healed_at) ?? [];
  const healed = drift.data?.filter((one) => one.healed_at).slice(0, MOST_HEALED) ?? [];
  return (
    <section className="stack" aria-labelledby="shops">
      <h2 id="shops">Orders and stock of your shops</h2>
      <ul className="stack tight">
        {shops.data.map((shop) => (
          <ShopRow key={shop.connection_id} shop={shop} api={api} />
        ))}
      </ul>
      {drift.error && <Problem error={drift.error} retry={() => void drift.refetch()} />}
      <DriftList title="Numbers that are wrong now" drifts={open} />
      <DriftList title="Numbers that were wrong and are right again" drifts={healed} />
    </section>
  );
}

function ShopRow({ shop, api }: { shop: Shop; api: ShopsApi }) {
  const cache = useQueryClient();
  const check = useMutation({
    mutationFn: () => api.check(shop.connection_id),
    onSettled: () => cache.invalidateQueries({ queryKey: SHOPS }),
  });
  const now = Date.now();
  const { tone, label } = shopState(shop, now);
  return (
    <li className="card stack tight">
      <div className="row spread">
        <span className="row">
          <PlatformBadge platform={shop.connector} />
          <strong className="wrap">{shop.name}</strong>
          <Pill tone={tone}>{label}</Pill>
        </span>
        <button
          type="button"
          className="small"
          aria-label={`${check.isPending ? "Checking…" : "Check now"}: ${shop.name}`}
          disabled={check.isPending}
          onClick={() => check.mutate()}
        >
          {check.isPending ? "Checking…" : "Check now"}
        </button>
      </div>
      {shopSentences(shop, now).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <p className="quiet-text">{shopTimes(shop)}</p>
      <Problem error={check.error} />
    </li>
  );
}

function DriftList({ title, drifts }: { title: string; drifts: Drift[] }) {
  if (!drifts.length) return null;
  return (
    <section className="stack tight" aria-label={title}>
      <h3>{title}</h3>
      <ul className="card stack tight">
        {drifts.map((drift) => (
          <li key={drift.id}>
            <span className="row">
              <PlatformBadge platform={drift.connector} />
              <span className="wrap">
                {drift.title} <span className="quiet-text">{drift.sku}</span>
              </span>
            </span>
            <p>
              {driftNumbers(drift)} {drift.reason}
            </p>
            <p className="quiet-text">{driftTimes(drift)}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}
