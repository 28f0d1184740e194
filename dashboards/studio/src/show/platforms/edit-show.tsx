import "./platforms.css";
import type { ShowChange, ShowSnapshot, Target } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { useApi } from "../../api";
import { SHOWS } from "../../cache";
import { CheckField } from "../../parts/check-field";
import { Dialog } from "../../parts/dialog";
import { Problem } from "../../parts/problem";
import { TextArea } from "../../parts/text-area";
import { TextField } from "../../parts/text-field";
import { stockChangeOf, stockDraftOf, stockProblems } from "../stock/stock-draft";
import { StockFields } from "../stock/stock-fields";
import { changeOf, CROWD, type Draft, draftOf, draftProblems } from "./draft";
import { MoreFields } from "./more-fields";
import { ShowPicture } from "./show-picture";
import { Told } from "./told";

interface Props {
  show: ShowSnapshot["show"];
  targets: Target[];
  onChanged: () => Promise<unknown>;
}

/** Title, time and texts, edited once for every platform; and how the stock is shared out. */
export function EditShow(props: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="small plain" onClick={() => setOpen(true)}>
        Edit show
      </button>
      {open && <EditDialog {...props} onClose={() => setOpen(false)} />}
    </>
  );
}

function EditDialog({ show, targets, onChanged, onClose }: Props & { onClose: () => void }) {
  const [draft, setDraft] = useState(() => draftOf(show));
  const [stock, setStock] = useState(() => stockDraftOf(show.stock_rules));
  const [tried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const save = useSave(show.id, onChanged, onClose);
  const problems = draftProblems(draft);
  const stockWrong = stockProblems(stock);
  const told = tried ? problems : {};
  const stockTold = tried ? stockWrong : {};
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(problems).length || Object.keys(stockWrong).length) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
    } else if (!save.isPending) save.mutate({ ...changeOf(draft, show), ...stockChangeOf(stock, show.stock_rules) });
  };
  return (
    <Dialog title="Edit show" onClose={onClose}>
      <form ref={form} className="stack" onSubmit={submit} noValidate>
        <TextField
          label="Title"
          maxLength={200}
          problem={told.title}
          value={draft.title}
          onText={(title) => change({ title })}
        />
        <TextArea
          label="Description (optional)"
          maxLength={5000}
          value={draft.description}
          onText={(description) => change({ description })}
        />
        {show.state === "scheduled" && (
          <TextField
            label="Starts at (optional)"
            help="Platforms that can announce a show tell people about it."
            type="datetime-local"
            value={draft.startsAt}
            onText={(startsAt) => change({ startsAt })}
          />
        )}
        <ShowPicture showId={show.id} asset={draft.picture} onAsset={(picture) => change({ picture })} />
        <CheckField
          label={CROWD.label}
          help={CROWD.help}
          checked={draft.crowd}
          onCheck={(crowd) => change({ crowd })}
        />
        <details className="more" open={Boolean(told.tags ?? told.language)}>
          <summary>What only some platforms know</summary>
          <div className="stack">
            <MoreFields draft={draft} problems={told} onDraft={change} />
          </div>
        </details>
        <details className="more" open={Object.keys(stockTold).length > 0}>
          <summary>How the stock is shared out</summary>
          <div className="stack">
            <StockFields
              draft={stock}
              problems={stockTold}
              onDraft={(part) => setStock((before) => ({ ...before, ...part }))}
            />
          </div>
        </details>
        {targets.length > 0 && !problems.title && (
          <Told showId={show.id} draft={changeOf(draft, show)} targets={targets} />
        )}
        <Problem error={save.error} />
        <div className="row">
          <button className="primary" aria-disabled={save.isPending}>
            {save.isPending ? "Saving…" : "Save"}
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function useSave(showId: string, onChanged: () => Promise<unknown>, onClose: () => void) {
  const api = useApi();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async (change: ShowChange) => {
      await api.changeShow(showId, change);
      await Promise.all([cache.invalidateQueries({ queryKey: SHOWS }), onChanged()]);
    },
    onSuccess: onClose,
  });
}
