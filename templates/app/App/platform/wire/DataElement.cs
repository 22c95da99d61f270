using System.Collections.Generic;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Altinn.App.Platform
{
    /// <summary>What is known of a form or a file of an instance.</summary>
    public class DataElement
    {
        public string Id { get; set; }

        public string DataType { get; set; }

        public string Filename { get; set; }

        public string ContentType { get; set; }

        public long Size { get; set; }

        /// <summary>It was sent in, and stays as it is.</summary>
        public bool Locked { get; set; }

        public string FileScanResult { get; set; }

        public SelfLinks SelfLinks { get; set; }

        [JsonExtensionData]
        public Dictionary<string, JsonElement> Rest { get; set; }
    }
}
