using System.Collections.Generic;
using System.Linq;
using System.Text.Json;

namespace Altinn.App.Forms
{
    /// <summary>One change of a form (RFC 6902): those operations that Altinn's frontend sends.</summary>
    public class JsonPatch
    {
        public string Op { get; set; }

        public string Path { get; set; }

        public JsonElement? Value { get; set; }

        /// <summary>Changes the tree; refused with 409 where a test fails, with 422 where a change does not fit.</summary>
        public static void Apply(IEnumerable<JsonPatch> operations, object tree)
        {
            int index = 0;
            foreach (JsonPatch operation in operations)
            {
                try
                {
                    operation.Apply(tree);
                }
                catch (Fault fault)
                {
                    fault.More["patchOperationIndex"] = index;
                    throw;
                }

                index++;
            }
        }

        private void Apply(object tree)
        {
            if (Path == null || !Path.StartsWith("/"))
            {
                throw Misfit("a path begins with `/`, and the whole form is not replaced");
            }

            string[] parts = Path.Substring(1).Split('/').Select(part => part.Replace("~1", "/").Replace("~0", "~")).ToArray();
            object parent = parts.Take(parts.Length - 1).Aggregate(tree, Child);
            string last = parts[^1];
            object value = Value == null ? null : JsonTree.Of(Value.Value);
            switch (parent)
            {
                case Dictionary<string, object> members:
                    Change(members, last, value);
                    break;
                case List<object> list:
                    Change(list, last, value);
                    break;
                default:
                    throw Misfit("there is nothing that it can be done to");
            }
        }

        private void Change(Dictionary<string, object> members, string name, object value)
        {
            bool there = members.TryGetValue(name, out object old);
            switch (Op)
            {
                case "test":
                    Test(old, value);
                    break;
                case "add":
                case "replace" when there:
                    members[name] = value;
                    break;
                case "remove" when there:
                    members[name] = null;
                    break;
                default:
                    throw Misfit("it cannot be done there");
            }
        }

        private void Change(List<object> list, string place, object value)
        {
            switch (Op)
            {
                case "test":
                    Test(list[Index(list, place)], value);
                    break;
                case "add" when place == "-":
                    list.Add(value);
                    break;
                case "add":
                    list.Insert(place == list.Count.ToString() ? list.Count : Index(list, place), value);
                    break;
                case "replace":
                    list[Index(list, place)] = value;
                    break;
                case "remove":
                    list.RemoveAt(Index(list, place));
                    break;
                default:
                    throw Misfit("it cannot be done there");
            }
        }

        private void Test(object there, object value)
        {
            if (!JsonTree.Same(there, value))
            {
                throw Fault.Conflict($"`{Path}` is not what the change is based on: somebody else changed it meanwhile.");
            }
        }

        private object Child(object parent, string part) => parent switch
        {
            Dictionary<string, object> members when members.TryGetValue(part, out object child) => child,
            List<object> list => list[Index(list, part)],
            _ => throw Misfit($"there is no `{part}`"),
        };

        private int Index(List<object> list, string part) =>
            int.TryParse(part, out int index) && index >= 0 && index < list.Count ? index : throw Misfit($"there is no `{part}`");

        private Fault Misfit(string why) => new Fault(422, "The change does not fit", $"`{Op}` of `{Path}`: {why}.");
    }
}
