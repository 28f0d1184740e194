import { useMutation } from "@tanstack/react-query";
import { useApi } from "../../api";
import { Notice } from "../../parts/notice";
import { Problem } from "../../parts/problem";
import { measureUpload } from "./upload";

interface Props {
  showId: string;
  /** An encoder sends: the test takes its share of the line for a moment. */
  feeding: boolean;
}

/** Whether this network can carry the show, best found out before it. */
export function UploadTest({ showId, feeding }: Props) {
  const api = useApi();
  const test = useMutation({ mutationFn: async () => measureUpload(await api.uplink(showId)) });
  return (
    <div className="stack tight">
      <div className="row">
        <button
          type="button"
          className="small"
          aria-disabled={test.isPending}
          onClick={() => test.isPending || test.mutate()}
        >
          {test.isPending ? "Testing…" : "Test my upload"}
        </button>
        <span className="quiet-text" role="status">
          {test.isPending
            ? "Sending 4 MB. This takes up to 10 seconds."
            : feeding
              ? "Shares your line with the encoder for a moment."
              : "Run it on the network that your encoder uses."}
        </span>
      </div>
      {test.data && <Notice tone={test.data.enough ? "good" : "warn"}>{test.data.sentence}</Notice>}
      <Problem error={test.error} />
    </div>
  );
}
