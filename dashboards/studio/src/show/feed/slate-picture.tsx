import { useMutation } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useApi } from "../../api";
import { Problem } from "../../parts/problem";

interface Props {
  showId: string;
  asset: string | null;
  onAsset: (asset: string | null) => void;
}

/** The brand's own slate: kept as soon as it is chosen, used when the settings are saved. */
export function SlatePicture({ showId, asset, onAsset }: Props) {
  const api = useApi();
  const id = useId();
  const [loop, setLoop] = useState(false);
  const keep = useMutation({
    mutationFn: (file: File) => api.addAsset(showId, file),
    onSuccess: ({ sha256, media_type: type }) => {
      setLoop(type.startsWith("video/"));
      onAsset(sha256);
    },
  });
  return (
    <div className="field">
      <label htmlFor={id}>Picture or loop on the slate (optional)</label>
      {asset && (
        <div className="row">
          {loop ? (
            <span className="quiet-text">A video loop</span>
          ) : (
            <img className="slate" src={api.assetUrl(showId, asset)} alt="The slate" onError={() => setLoop(true)} />
          )}
          <button type="button" className="small" onClick={() => onAsset(null)}>
            Remove picture
          </button>
        </div>
      )}
      <input
        id={id}
        type="file"
        accept="image/png,image/jpeg,image/webp,video/mp4"
        aria-describedby={`${id}-help`}
        disabled={keep.isPending}
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          if (file) keep.mutate(file);
          event.target.value = "";
        }}
      />
      <span className="quiet-text" id={`${id}-help`} role="status">
        {keep.isPending ? "Uploading…" : "PNG, JPEG, WebP or MP4, up to 5 MB."}
      </span>
      <Problem error={keep.error} />
    </div>
  );
}
