using System.Collections.Generic;
using System.Linq;
using System.Text.Json;

namespace Altinn.App.Forms
{
    /// <summary>
    /// JSON that can be changed: a dictionary, a list, or a value as it was read. (.NET has its own for it only from 6 on.)
    /// </summary>
    public static class JsonTree
    {
        public static object Read(byte[] text)
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return Of(document.RootElement);
        }

        public static object Of(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Object => element.EnumerateObject().ToDictionary(member => member.Name, member => Of(member.Value)),
            JsonValueKind.Array => element.EnumerateArray().Select(Of).ToList(),
            _ => element.Clone(),
        };

        public static byte[] Write(object tree) => JsonSerializer.SerializeToUtf8Bytes(tree);

        /// <summary>The same value; what is absent and what is null are the same, too.</summary>
        public static bool Same(object one, object other)
        {
            switch (one, other)
            {
                case (Dictionary<string, object> a, Dictionary<string, object> b):
                    return a.Keys.Union(b.Keys).All(key => Same(Member(a, key), Member(b, key)));
                case (List<object> a, List<object> b):
                    return a.Count == b.Count && a.Zip(b, Same).All(same => same);
                case (JsonElement a, JsonElement b) when a.ValueKind == JsonValueKind.Number && b.ValueKind == JsonValueKind.Number:
                    return a.TryGetDecimal(out decimal first) && b.TryGetDecimal(out decimal second) ? first == second : a.GetRawText() == b.GetRawText();
                case (JsonElement a, JsonElement b):
                    return a.ValueKind == b.ValueKind && a.ToString() == b.ToString();
                default:
                    return IsNull(one) && IsNull(other);
            }
        }

        private static object Member(Dictionary<string, object> from, string key) => from.TryGetValue(key, out object value) ? value : null;

        private static bool IsNull(object value) => value == null || (value is JsonElement element && element.ValueKind == JsonValueKind.Null);
    }
}
