import { countdown, secondsLeft, type StaffOffer } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { memo, useState } from "react";
import { Confirm } from "../../parts/confirm";
import { Pill } from "../../parts/pill";
import { Problem } from "../../parts/problem";
import { counterWords, kindWords, resultWords, stateWords } from "./offer-words";
import { useOffersApi } from "./use-offers";

interface Props {
  offer: StaffOffer;
  nowMs: number;
  canLaunch: boolean;
  onEdit: (offer: StaffOffer) => void;
  onChanged: () => Promise<unknown>;
}

/** One offer: where it stands, how many are left, and the one button that counts now. */
export const OfferRow = memo(function OfferRow({ offer, nowMs, canLaunch, onEdit, onChanged }: Props) {
  const state = stateWords(offer, nowMs);
  const result = resultWords(offer);
  const kind = kindWords(offer.kind);
  const running = offer.state === "live" && offer.ends_at !== null && Date.parse(offer.ends_at) > nowMs;
  return (
    <li data-testid={`offer-${offer.id}`}>
      <div className="row nowrap">
        <span className="grow wrap">
          <strong>{offer.title}</strong>{" "}
          {kind !== offer.title && <span className="quiet-text">{kind}</span>}
        </span>
        {running && (
          <span className="number" role="timer">
            {countdown(secondsLeft(offer.ends_at ?? "", nowMs))}
          </span>
        )}
        <Pill tone={state.tone}>{state.text}</Pill>
      </div>
      {counterWords(offer).map((words) => (
        <p key={words} className="number">
          {words}
        </p>
      ))}
      {result && <p className="quiet-text number">{result}</p>}
      <Actions offer={offer} canLaunch={canLaunch} onEdit={onEdit} onChanged={onChanged} />
    </li>
  );
});

function Actions({ offer, canLaunch, onEdit, onChanged }: Omit<Props, "nowMs">) {
  const api = useOffersApi();
  const [asking, setAsking] = useState<"live" | "end" | null>(null);
  const act = useMutation({
    mutationFn: async (what: "live" | "end" | "remove") => {
      if (what === "live") await api.goLive(offer.id);
      else if (what === "end") await api.end(offer.id);
      else await api.remove(offer.id);
      await onChanged();
    },
    onSuccess: () => setAsking(null),
  });
  const close = () => {
    act.reset();
    setAsking(null);
  };
  return (
    <>
      <div className="row">
        {offer.state === "draft" && canLaunch && (
          <button type="button" className="small primary" onClick={() => setAsking("live")}>
            Go live
          </button>
        )}
        {offer.state === "draft" && (
          <>
            <button type="button" className="small" onClick={() => onEdit(offer)}>
              Edit
            </button>
            <button type="button" className="small" disabled={act.isPending} onClick={() => act.mutate("remove")}>
              Remove
            </button>
          </>
        )}
        {offer.state === "live" && (
          <button type="button" className="small danger" onClick={() => setAsking("end")}>
            End now
          </button>
        )}
        {offer.record_url && (
          <a className="quiet-text" href={offer.record_url} target="_blank" rel="noreferrer">
            Signed record
          </a>
        )}
      </div>
      {!asking && <Problem error={act.error} />}
      {asking === "live" && (
        <Confirm
          title={`Go live with ${offer.title}?`}
          act="Go live"
          busy={act.isPending}
          error={act.error}
          onAct={() => act.mutate("live")}
          onClose={close}
        >
          Viewers see it at once. It can't be changed or made longer then, and not run again in this show.
        </Confirm>
      )}
      {asking === "end" && (
        <Confirm
          title={`End ${offer.title}?`}
          act="End it"
          busy={act.isPending}
          error={act.error}
          onAct={() => act.mutate("end")}
          onClose={close}
        >
          It is over for everybody at once and can't be started again. Reservations that stand keep their price.
        </Confirm>
      )}
    </>
  );
}
