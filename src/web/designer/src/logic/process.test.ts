import { BpmnModdle } from "bpmn-moddle";
import { expect, test } from "vitest";

import { typeOf, withType, type Business, type Factory } from "./process";

const XML = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:altinn="http://altinn.no/process" id="D">
  <bpmn:process id="P">
    <bpmn:task id="Task_1" name="Utfylling">
      <bpmn:extensionElements>
        <altinn:taskExtension>
          <altinn:taskType>data</altinn:taskType>
          <altinn:actions>
            <altinn:action type="serverAction">lookup</altinn:action>
          </altinn:actions>
        </altinn:taskExtension>
      </bpmn:extensionElements>
    </bpmn:task>
    <bpmn:task id="Task_2" />
  </bpmn:process>
</bpmn:definitions>`;

test("a step's type is read and set, and what else Altinn says of it is kept", async () => {
  const moddle = new BpmnModdle();
  const { rootElement, elementsById } = await moddle.fromXML(XML);
  const [first, second] = [elementsById.Task_1 as Business, elementsById.Task_2 as Business];
  expect([typeOf(first), typeOf(second)]).toEqual(["data", ""]);
  const factory: Factory = {
    create: (type, properties) => moddle.create(type, properties),
    createAny: (type, space, properties) => moddle.createAny(type, space, properties),
  };
  for (const task of [first, second]) Object.assign(task, { extensionElements: withType(factory, task, "signing") });
  const { xml } = await moddle.toXML(rootElement);
  expect(xml.match(/<altinn:taskType>signing<\/altinn:taskType>/g)).toHaveLength(2);
  expect(xml).toContain("lookup");
  expect(xml).toContain('type="serverAction"');
});
