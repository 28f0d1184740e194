import type { Connection, Connector } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useApi } from "../api";
import { CONNECTIONS } from "../cache";
import { Dialog } from "../parts/dialog";
import { type Login, LoginForm } from "./login-form";

interface Props {
  connection: Connection;
  connector: Connector;
  onClose: () => void;
}

export function RelinkDialog({ connection, connector, onClose }: Props) {
  const api = useApi();
  const cache = useQueryClient();
  const change = useMutation({
    mutationFn: (login: Login) => api.changeConnection(connection.id, login),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: CONNECTIONS });
      onClose();
    },
  });
  return (
    <Dialog title={`Link ${connection.name} again`} onClose={onClose}>
      <p className="quiet-text">
        What was entered before is never shown again, so enter everything once more.
      </p>
      <LoginForm
        connector={connector}
        name={connection.name}
        act="Link again"
        busy={change.isPending}
        error={change.error}
        onSend={(login) => change.mutate(login)}
        onClose={onClose}
      />
    </Dialog>
  );
}
