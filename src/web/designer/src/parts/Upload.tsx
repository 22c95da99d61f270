// Sends a file of the user's machine into the app, as an image for wwwroot.

import { go, request } from "@altinn-local/shared";
import { Button, Dialog, Field, Heading, Input, Label, Textfield, ValidationMessage } from "@digdir/designsystemet-react";
import { CloudUpIcon } from "@navikt/aksel-icons";
import { useRef, useState, type FormEvent } from "react";

import * as api from "../api";
import { MOST, placeOf, tooLarge } from "../logic/upload";
import { useTexts } from "../texts";
import { useAddress, useApp, useWork } from "./app";
import { ProblemAlert } from "./problems";

/** With `path`, that file is replaced; else the user says into which folder the file goes. */
export function Upload({ path, paths = [] }: { path?: string; paths?: string[] }) {
  const t = useTexts();
  const { id, mayChange } = useApp();
  const work = useWork();
  const address = useAddress();
  const dialog = useRef<HTMLDialogElement>(null);
  const [folder, setFolder] = useState("App/wwwroot");
  const [file, setFile] = useState<File>();
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  if (!mayChange) return null;
  const wrong = !file ? t("upload.none") : tooLarge(file.size) ? t("upload.large", { mb: MOST / 1024 / 1024 }) : undefined;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    setFault(undefined);
    if (!file || wrong || busy) return;
    const target = path ?? placeOf(folder, file.name);
    const there = path !== undefined || paths.includes(target);
    if (path === undefined && there && !confirm(t("upload.replaceSure", { path: target }))) return;
    setBusy(true);
    try {
      await work(async () => {
        const etag = there ? (await (await request(api.filePath(id, target))).json()).etag : undefined;
        const headers: Record<string, string> = etag ? { "If-Match": `"${etag}"` } : { "If-None-Match": "*" };
        await request(api.filePath(id, target), { method: "PUT", body: file, headers: { ...headers, "Content-Type": "application/octet-stream" } });
      });
      dialog.current?.close();
      setTried(false);
      setFile(undefined);
      go(address("files", { path: target }));
    } catch (error) {
      setFault(error);
    } finally {
      setBusy(false);
    }
  };
  const title = path === undefined ? t("upload.title") : t("upload.replace");
  return (
    <>
      <Button variant="secondary" onClick={() => dialog.current?.showModal()}>
        <CloudUpIcon aria-hidden fontSize="1.4rem" />
        {title}
      </Button>
      <Dialog ref={dialog} closeButton={t("common.close")} aria-labelledby="upload">
        <form className="form" onSubmit={(event) => void submit(event)} noValidate>
          <Heading level={2} data-size="xs" id="upload">
            {title}
          </Heading>
          <Field>
            <Label>{t("upload.file")}</Label>
            <Input type="file" aria-invalid={tried && wrong !== undefined} onChange={(event) => setFile(event.target.files?.[0])} />
            {tried && wrong && <ValidationMessage>{wrong}</ValidationMessage>}
          </Field>
          {path === undefined && <Textfield label={t("upload.folder")} value={folder} spellCheck={false} onChange={(event) => setFolder(event.target.value)} />}
          <ProblemAlert problem={fault} />
          <div className="actions">
            <Button type="submit" loading={busy}>
              {t("upload.do")}
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
