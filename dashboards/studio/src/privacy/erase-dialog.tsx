import type { ErasurePreview, FoundPerson, PrivacyApi } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Dialog } from "../parts/dialog";
import { Loading } from "../parts/loading";
import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";
import { TextField } from "../parts/text-field";
import { CONFIRM, removals } from "./privacy-words";
import { REQUESTS } from "./requests-card";

interface Props {
  person: Pick<FoundPerson, "id" | "name">;
  api: PrivacyApi;
  onClose: () => void;
}

/** What goes and what stays, and a word to type: there is no way back. */
export function EraseDialog({ person, api, onClose }: Props) {
  const cache = useQueryClient();
  const [typed, setTyped] = useState("");
  const preview = useQuery({
    queryKey: ["privacy", "preview", person.id],
    queryFn: ({ signal }) => api.preview(person.id, signal),
    staleTime: 0,
  });
  const erase = useMutation({
    mutationFn: () => api.erase(person.id, CONFIRM),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: REQUESTS });
      onClose();
    },
  });
  const ready = preview.data !== undefined && !preview.data.waits && typed.trim() === CONFIRM;
  return (
    <Dialog title={`Erase ${person.name ?? "this person"}?`} onClose={onClose}>
      {preview.isPending && <Loading what="what is kept about them" />}
      <Problem error={preview.error} retry={() => void preview.refetch()} />
      {preview.data && <What preview={preview.data} />}
      <TextField
        label={`Type “${CONFIRM}” to go on`}
        autoComplete="off"
        value={typed}
        onText={setTyped}
        help="There is no way back."
      />
      <Problem error={erase.error} />
      <div className="row">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          className="primary"
          disabled={!ready || erase.isPending}
          onClick={() => erase.mutate()}
        >
          {erase.isPending ? "Starting…" : "Erase for good"}
        </button>
      </div>
    </Dialog>
  );
}

function What({ preview }: { preview: ErasurePreview }) {
  const gone = removals(preview);
  return (
    <>
      {preview.waits && <Notice tone="bad">{preview.waits}</Notice>}
      <h3>What goes</h3>
      {gone.length === 0 && <p>Only the person’s own entry.</p>}
      <ul className="privacy-areas">
        {gone.map((area) => (
          <li key={area.title}>
            {area.title}: {area.rows}
          </li>
        ))}
      </ul>
      <h3>What stays</h3>
      {preview.stays.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {preview.invoices.length > 0 && <p>Kept as issued: {preview.invoices.join(", ")}.</p>}
    </>
  );
}
