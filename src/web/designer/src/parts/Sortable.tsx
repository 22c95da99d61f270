// A list whose things are moved by mouse, finger or keyboard. What happens is said to those who do not see it.

import {
  closestCenter,
  DndContext,
  KeyboardSensor,
  PointerSensor,
  useDraggable,
  useDroppable,
  useSensor,
  useSensors,
  type DragEndEvent,
} from "@dnd-kit/core";
import { SortableContext, sortableKeyboardCoordinates, useSortable, verticalListSortingStrategy } from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import { Button } from "@digdir/designsystemet-react";
import { DragVerticalIcon } from "@navikt/aksel-icons";
import type { ReactNode } from "react";

import { useTexts } from "../texts";

interface AreaProps {
  /** Names of what can be moved, by id. */
  names: Map<string, string>;
  /** The lists: ids by the id of the list. */
  lists: Map<string, string[]>;
  /** `id` came to `place` of its list, or out of the palette into the first list. */
  onMove: (id: string, place: number) => void;
  onAdd?: (type: string, place: number) => void;
  children: ReactNode;
}

const FROM_PALETTE = "palette:";

/** Where things are moved. */
export function SortArea({ names, lists, onMove, onAdd, children }: AreaProps) {
  const t = useTexts();
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 6 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const name = (id: string | number) => names.get(String(id).replace(FROM_PALETTE, "")) ?? String(id).replace(FROM_PALETTE, "");
  const placeOf = (id: string | number) => {
    for (const list of lists.values()) {
      const index = list.indexOf(String(id));
      if (index >= 0) return { place: index, count: list.length, list };
    }
    return undefined;
  };
  const said = (key: "dnd.over" | "dnd.dropped", active: string | number, over: string | number | undefined) => {
    const found = over === undefined ? undefined : placeOf(over);
    return found ? t(key, { name: name(active), place: found.place + 1, count: found.count }) : t("dnd.cancelled", { name: name(active) });
  };
  const end = ({ active, over }: DragEndEvent) => {
    if (!over) return;
    const id = String(active.id);
    const to = placeOf(over.id);
    if (id.startsWith(FROM_PALETTE)) {
      const top = lists.get("") ?? [];
      const inTop = to && to.list === top;
      onAdd?.(id.slice(FROM_PALETTE.length), inTop ? to.place : top.length);
      return;
    }
    const from = placeOf(id);
    // Things stay in their list.
    if (from && to && from.list === to.list && from.place !== to.place) onMove(id, to.place);
  };
  return (
    <DndContext
      sensors={sensors}
      collisionDetection={closestCenter}
      onDragEnd={end}
      accessibility={{
        screenReaderInstructions: { draggable: t("dnd.instructions") },
        announcements: {
          onDragStart: ({ active }) => t("dnd.lifted", { name: name(active.id) }),
          onDragOver: ({ active, over }) => said("dnd.over", active.id, over?.id),
          onDragEnd: ({ active, over }) => said("dnd.dropped", active.id, over?.id),
          onDragCancel: ({ active }) => t("dnd.cancelled", { name: name(active.id) }),
        },
      }}
    >
      {children}
    </DndContext>
  );
}

/** One list. */
export function SortList({ ids, children, label }: { ids: string[]; children: ReactNode; label: string }) {
  return (
    <SortableContext items={ids} strategy={verticalListSortingStrategy}>
      <ol className="sort-list" aria-label={label}>
        {children}
      </ol>
    </SortableContext>
  );
}

/** One thing, moved by its handle. */
export function SortItem({ id, name, fixed = false, children, below }: { id: string; name: string; fixed?: boolean; children: ReactNode; below?: ReactNode }) {
  const t = useTexts();
  const { attributes, listeners, setNodeRef, setActivatorNodeRef, transform, transition, isDragging } = useSortable({ id, disabled: fixed });
  const style = { transform: CSS.Translate.toString(transform), transition };
  return (
    <li ref={setNodeRef} style={style} className={isDragging ? "sort-item lifted" : "sort-item"}>
      <div className="sort-row">
        {!fixed && (
          <Button
            ref={setActivatorNodeRef}
            variant="tertiary"
            data-color="neutral"
            icon
            className="handle"
            {...attributes}
            {...listeners}
            aria-label={t("ui.drag", { name })}
          >
            <DragVerticalIcon aria-hidden fontSize="1.3rem" />
          </Button>
        )}
        {children}
      </div>
      {below}
    </li>
  );
}

/** Where things from the palette can be put when the list is empty. */
export function DropPlace({ children }: { children: ReactNode }) {
  const { setNodeRef, isOver } = useDroppable({ id: "empty" });
  return (
    <div ref={setNodeRef} className={isOver ? "drop-place over" : "drop-place"}>
      {children}
    </div>
  );
}

/** Something in the palette: pressed, it is added; dragged, it is put where it is dropped. */
export function PaletteItem({ type, label, onPress, children }: { type: string; label: string; onPress: () => void; children: ReactNode }) {
  const { setNodeRef, listeners, transform, isDragging } = useDraggable({ id: FROM_PALETTE + type });
  const pointer = listeners?.onPointerDown as ((event: unknown) => void) | undefined;
  return (
    <Button
      ref={setNodeRef}
      variant="secondary"
      data-color="neutral"
      className={isDragging ? "palette-item lifted" : "palette-item"}
      style={{ transform: CSS.Translate.toString(transform) }}
      aria-label={label}
      onPointerDown={pointer}
      onClick={onPress}
    >
      {children}
    </Button>
  );
}
