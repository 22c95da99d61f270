using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Altinn.App.Platform
{
    /// <summary>Where an instance stands.</summary>
    public class ProcessState
    {
        public DateTime? Started { get; set; }

        public string StartEvent { get; set; }

        public ProcessElementInfo CurrentTask { get; set; }

        public DateTime? Ended { get; set; }

        public string EndEvent { get; set; }
    }

    /// <summary>A task that an instance stands in, or stood in.</summary>
    public class ProcessElementInfo
    {
        public int? Flow { get; set; }

        public DateTime? Started { get; set; }

        public string ElementId { get; set; }

        public string Name { get; set; }

        public string AltinnTaskType { get; set; }

        public DateTime? Ended { get; set; }

        public string FlowType { get; set; }

        [JsonExtensionData]
        public Dictionary<string, JsonElement> Rest { get; set; }
    }
}
