import type { Connection } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useApi } from "../api";
import { CONNECTIONS } from "../cache";
import { Confirm } from "../parts/confirm";

export function UnlinkDialog({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const api = useApi();
  const cache = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.removeConnection(connection.id),
    onSuccess: async () => {
      onClose();
      await cache.invalidateQueries({ queryKey: CONNECTIONS });
    },
  });
  return (
    <Confirm
      title={`Unlink ${connection.name}?`}
      act="Unlink"
      busy={remove.isPending}
      error={remove.error}
      onAct={() => remove.mutate()}
      onClose={onClose}
    >
      Its login is deleted here at once and given back to {connection.title} where that is possible. Shows no
      longer reach it. Past orders and messages stay.
    </Confirm>
  );
}
