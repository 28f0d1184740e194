import "./chat.css";
import type { Action, ChatSource, ShowOrder, StaffMessage, Target } from "@simulcast/api";
import { useQuery } from "@tanstack/react-query";
import { memo, useCallback, useMemo, useState } from "react";
import { useApi } from "../../api";
import { Notice } from "../../parts/notice";
import { Fold } from "../fold";
import { Panel } from "../panel";
import type { Room } from "../room";
import { Actions, Record } from "./actions";
import type { Crowd } from "./crowd";
import { chatTroubles, linesOf } from "./feed";
import { Log } from "./log";
import { MessageMenu } from "./message-menu";
import { RelayFields } from "./relay-fields";
import { ReplyForm } from "./reply-form";

interface Props {
  room: Room;
  showId: string;
  ended: boolean;
  messages: StaffMessage[];
  orders: ShowOrder[];
  chats: ChatSource[];
  crowd: Crowd;
  actions: Action[];
  dropped: { [target: string]: number };
  targets: Target[];
}

/** Every platform's chat in one, and a line to answer all or one. */
export const ChatPanel = memo(function ChatPanel(props: Props) {
  const { room, showId, ended, messages, orders, chats, crowd, actions, dropped, targets } = props;
  const api = useApi();
  const [picked, setPicked] = useState<StaffMessage | null>(null);
  const [answered, setAnswered] = useState<StaffMessage | null>(null);
  const close = useCallback(() => setPicked(null), []);
  const forget = useCallback(() => setAnswered(null), []);
  const { data: voices = [] } = useQuery({
    queryKey: ["voices", showId, targets.map(({ id }) => id).join(" ")],
    queryFn: ({ signal }) => api.voices(showId, signal),
    enabled: !ended,
  });
  const lines = useMemo(() => linesOf(messages, orders, crowd.skips), [messages, orders, crowd.skips]);
  return (
    <Panel id="chat" title="Chat" className="chat">
      {(ended ? [] : chatTroubles(chats)).map((trouble) => (
        <Notice key={trouble} tone="warn">
          {trouble}
        </Notice>
      ))}
      <Log
        messages={messages}
        lines={lines}
        onPick={ended ? null : setPicked}
        onEarlier={room.earlier}
        onOpen={room.open}
      />
      {actions.length > 0 && <Actions room={room} actions={actions.slice(0, 1)} />}
      {ended ? (
        <p className="quiet-text">The show has ended, so the chat is closed.</p>
      ) : (
        <ReplyForm room={room} voices={voices} answered={answered} onForget={forget} />
      )}
      <div className="chat-folds">
        {!ended && (
          <Fold title="Pass messages on">
            <RelayFields showId={showId} dropped={dropped} />
          </Fold>
        )}
        <Fold title="Moderation record">
          <Record room={room} showId={showId} news={actions} />
        </Fold>
      </div>
      {picked && (
        <MessageMenu room={room} message={picked} voices={voices} onAnswer={setAnswered} onClose={close} />
      )}
    </Panel>
  );
});
