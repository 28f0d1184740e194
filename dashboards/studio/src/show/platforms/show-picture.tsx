import { useMutation } from "@tanstack/react-query";
import { useId } from "react";
import { useApi } from "../../api";
import { Problem } from "../../parts/problem";

interface Props {
  showId: string;
  asset: string | null;
  onAsset: (asset: string | null) => void;
}

/** The picture platforms show for the show: kept as soon as it is chosen, sent when the show is saved. */
export function ShowPicture({ showId, asset, onAsset }: Props) {
  const api = useApi();
  const id = useId();
  const keep = useMutation({
    mutationFn: (file: File) => api.addAsset(showId, file),
    onSuccess: ({ sha256 }) => onAsset(sha256),
  });
  return (
    <div className="field">
      <label htmlFor={id}>Picture (optional)</label>
      {asset && (
        <div className="row">
          <img className="slate" src={api.assetUrl(showId, asset)} alt="The show's picture" />
          <button type="button" className="small" onClick={() => onAsset(null)}>
            Remove picture
          </button>
        </div>
      )}
      <input
        id={id}
        type="file"
        accept="image/png,image/jpeg"
        aria-describedby={`${id}-help`}
        disabled={keep.isPending}
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          if (file) keep.mutate(file);
          event.target.value = "";
        }}
      />
      <span className="quiet-text" id={`${id}-help`} role="status">
        {keep.isPending ? "Uploading…" : "PNG or JPEG, best 1280 × 720. Some platforms take 2 MB at most."}
      </span>
      <Problem error={keep.error} />
    </div>
  );
}
