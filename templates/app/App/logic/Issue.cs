using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Altinn.App.Logic
{
    /// <summary>One finding, in the shape in which the frontend takes it.</summary>
    public class Issue
    {
        public Issue(string source, string field, string textKey)
        {
            Source = source;
            Field = field;
            TextKey = textKey;
        }

        /// <summary>1 is an error; 2 a warning.</summary>
        [JsonPropertyName("severity")]
        public int Severity => 1;

        [JsonPropertyName("source")]
        public string Source { get; }

        [JsonPropertyName("field")]
        public string Field { get; }

        /// <summary>The id of a text in config/texts.</summary>
        [JsonPropertyName("customTextKey")]
        public string TextKey { get; }

        /// <summary>What stands for `{0}`, `{1}` in the text, by the names of its variables.</summary>
        [JsonPropertyName("customTextParameters")]
        public Dictionary<string, string> TextParameters { get; set; }

        /// <summary>What kind of finding it is, for programs.</summary>
        [JsonPropertyName("code")]
        public string Code { get; set; }

        /// <summary>For who does not know the texts.</summary>
        [JsonPropertyName("description")]
        public string Description { get; set; }

        [JsonPropertyName("dataElementId")]
        public string DataElementId { get; set; }
    }
}
