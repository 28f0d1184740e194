import { useMutation } from "@tanstack/react-query";
import { useId } from "react";
import { useApi } from "../../api";
import { Problem } from "../../parts/problem";

interface Props {
  showId: string;
  asset: string | null;
  onAsset: (asset: string | null) => void;
}

/** The picture before the play button: kept as soon as it is chosen, used when the settings are saved. */
export function PosterField({ showId, asset, onAsset }: Props) {
  const api = useApi();
  const id = useId();
  const keep = useMutation({
    mutationFn: (file: File) => api.addAsset(showId, file),
    onSuccess: ({ sha256 }) => onAsset(sha256),
  });
  return (
    <div className="field">
      <label htmlFor={id}>Poster (optional)</label>
      {asset && (
        <div className="row">
          <img className="slate" src={api.assetUrl(showId, asset)} alt="The poster" />
          <button type="button" className="small" onClick={() => onAsset(null)}>
            Remove poster
          </button>
        </div>
      )}
      <input
        id={id}
        type="file"
        accept="image/png,image/jpeg,image/webp"
        aria-describedby={`${id}-help`}
        disabled={keep.isPending}
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          if (file) keep.mutate(file);
          event.target.value = "";
        }}
      />
      <span className="quiet-text" id={`${id}-help`} role="status">
        {keep.isPending ? "Uploading…" : "PNG, JPEG or WebP, up to 5 MB. Everybody who has the show's address sees it."}
      </span>
      <Problem error={keep.error} />
    </div>
  );
}
