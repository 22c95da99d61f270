// The package has no types of its own; this is what the tests call.
declare module "bpmn-moddle" {
  export class BpmnModdle {
    create(type: string, properties: Record<string, unknown>): unknown;
    createAny(type: string, space: string, properties: Record<string, unknown>): unknown;
    fromXML(xml: string): Promise<{ rootElement: unknown; elementsById: Record<string, unknown> }>;
    toXML(element: unknown): Promise<{ xml: string }>;
  }
}
