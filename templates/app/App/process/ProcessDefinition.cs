using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Xml.Linq;

namespace Altinn.App.Processes
{
    /// <summary>The steps that an instance goes through, from config/process/process.bpmn.</summary>
    public class ProcessDefinition
    {
        private static readonly XNamespace Bpmn = "http://www.omg.org/spec/BPMN/20100524/MODEL";
        private static readonly XNamespace Altinn = "http://altinn.no/process";

        private readonly Dictionary<string, Element> elements = new Dictionary<string, Element>();
        private readonly ILookup<string, string> flows;

        private ProcessDefinition(XElement process)
        {
            foreach (XElement element in process.Elements().Where(element => element.Attribute("id") != null))
            {
                elements[(string)element.Attribute("id")] = new Element(element);
            }

            flows = process.Elements(Bpmn + "sequenceFlow")
                .ToLookup(flow => (string)flow.Attribute("sourceRef"), flow => (string)flow.Attribute("targetRef"));
        }

        public Element Start => elements.Values.FirstOrDefault(element => element.Kind == "startEvent")
            ?? throw Broken("has no start event");

        public IEnumerable<Element> Tasks => elements.Values.Where(element => element.IsTask);

        public static ProcessDefinition Read(AppFiles files)
        {
            byte[] text = files.Read("config", "process", "process.bpmn") ?? throw Broken("is not there");
            try
            {
                XElement process = XDocument.Load(new MemoryStream(text)).Root?.Element(Bpmn + "process");
                return new ProcessDefinition(process ?? throw Broken("has no `process`"));
            }
            catch (System.Xml.XmlException e)
            {
                throw Broken("cannot be read: " + e.Message);
            }
        }

        /// <summary>The task of this id; null when the process has none.</summary>
        public Element Task(string id) => id != null && elements.TryGetValue(id, out Element element) && element.IsTask ? element : null;

        /// <summary>The task or the end that follows. This app's processes are straight: a way that divides is a fault.</summary>
        public Element Next(string id)
        {
            List<string> targets = flows[id].ToList();
            if (targets.Count != 1 || !elements.TryGetValue(targets[0], out Element next))
            {
                throw Broken($"must lead from `{id}` to one element, and leads to {targets.Count}");
            }

            return next.IsTask || next.Kind == "endEvent" ? next : throw Broken($"leads to `{next.Id}`, a `{next.Kind}`, which this app does not know");
        }

        private static Exception Broken(string what) => new Fault(500, "The process is not usable", "config/process/process.bpmn " + what + ".");

        /// <summary>An event or a task of the process.</summary>
        public class Element
        {
            public Element(XElement element)
            {
                Id = (string)element.Attribute("id");
                Name = (string)element.Attribute("name");
                Kind = element.Name.LocalName;
                XElement task = element.Element(Bpmn + "extensionElements")?.Element(Altinn + "taskExtension");
                TaskType = (string)task?.Element(Altinn + "taskType") ?? "data";
                Actions = task?.Element(Altinn + "actions")?.Elements(Altinn + "action").Select(action => action.Value.Trim()).ToList()
                    ?? new List<string>();
            }

            public string Id { get; }

            public string Name { get; }

            /// <summary>`task`, `startEvent`, and so on.</summary>
            public string Kind { get; }

            /// <summary>`data`, `confirmation`, and so on.</summary>
            public string TaskType { get; }

            /// <summary>What may be done in the task beside reading and writing.</summary>
            public IReadOnlyList<string> Actions { get; }

            public bool IsTask => Kind == "task";
        }
    }
}
