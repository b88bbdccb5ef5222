/** The component kit: react-aria's behaviour in the house's clothes. */
import { ChevronDown } from "lucide-react";
import type { CSSProperties, ReactNode } from "react";
import {
  Button as AriaButton,
  type ButtonProps,
  Dialog,
  Heading,
  Label,
  ListBox,
  ListBoxItem,
  Modal,
  ModalOverlay,
  Popover,
  Select,
  SelectValue,
} from "react-aria-components";

export function Button({ look = "", ...rest }: Omit<ButtonProps, "className" | "style"> & { readonly look?: string }) {
  return <AriaButton {...rest} className={`button ${look}`} />;
}

export interface Option {
  readonly id: string;
  readonly label: string;
}

interface ChoiceProps {
  readonly label: string;
  readonly icon?: ReactNode;
  readonly options: readonly Option[];
  readonly chosen: string | null;
  readonly empty: string;
  readonly onChoose: (id: string) => void;
}

/** One of several, in a popover. */
export function Choice({ label, icon, options, chosen, empty, onChoose }: ChoiceProps) {
  const known = options.some((option) => option.id === chosen);
  return (
    <Select
      className="choice-field"
      isDisabled={options.length === 0}
      value={known ? chosen : (options[0]?.id ?? null)}
      onChange={(key) => key !== null && onChoose(String(key))}
      placeholder={empty}
    >
      <Label className="visually-hidden">{label}</Label>
      <AriaButton className="choice">
        {icon}
        <SelectValue className="choice-value" />
        <ChevronDown size={16} aria-hidden />
      </AriaButton>
      <Popover className="popover" offset={6}>
        <ListBox className="menu" items={options.map((option) => ({ ...option }))}>
          {(option) => (
            <ListBoxItem id={option.id} textValue={option.label} className="menu-item">
              {option.label}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}

/** A bar that follows a voice: `level` from 0 to 1. */
export function Meter({ level, label }: { readonly level: number; readonly label: string }) {
  return (
    <div className="meter" style={{ "--level": level } as CSSProperties}>
      <meter className="visually-hidden" aria-label={label} min={0} max={1} value={level} />
      <span />
    </div>
  );
}

/** A calm colour of one's own, the same for everybody who looks. */
function hue(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return sum;
}

/** Two letters of a Latin name, the last two characters of a Chinese one. */
export function initials(name: string): string {
  const trimmed = name.trim();
  if (/\p{Script=Han}/u.test(trimmed)) return [...trimmed.replaceAll(/\s/g, "")].slice(-2).join("");
  const parts = trimmed.split(/\s+/);
  const letters = [parts[0], parts.length > 1 ? parts.at(-1) : undefined].map((part) => [...(part ?? "")][0] ?? "");
  return letters.join("").toUpperCase() || "?";
}

export function Avatar({ id, name, large = false }: { readonly id: string; readonly name: string; large?: boolean }) {
  return (
    <span className={large ? "avatar large" : "avatar"} style={{ "--hue": hue(id) } as CSSProperties} aria-hidden>
      {initials(name)}
    </span>
  );
}

interface SheetProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly role?: "dialog" | "alertdialog";
}

export function Sheet({ title, isOpen, onClose, children, role = "dialog" }: SheetProps) {
  return (
    <ModalOverlay className="scrim" isOpen={isOpen} onOpenChange={(open) => !open && onClose()} isDismissable>
      <Modal className="modal">
        <Dialog className="dialog" role={role}>
          <Heading slot="title">{title}</Heading>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
