using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Altinn.App.Platform
{
    /// <summary>A person or an organisation.</summary>
    public class Party
    {
        public int PartyId { get; set; }

        /// <summary>A number at Register, a name at some stand-ins.</summary>
        public JsonElement? PartyTypeName { get; set; }

        public string Name { get; set; }

        public string Ssn { get; set; }

        public string OrgNumber { get; set; }

        public string UnitType { get; set; }

        public bool IsDeleted { get; set; }

        /// <summary>It is only there because of its children.</summary>
        public bool OnlyHierarchyElementWithNoAccess { get; set; }

        public List<Party> ChildParties { get; set; }

        [JsonExtensionData]
        public Dictionary<string, JsonElement> Rest { get; set; }

        [JsonIgnore]
        public PartyType Type => Enum.TryParse(PartyTypeName?.ToString(), ignoreCase: true, out PartyType type)
            ? type
            : PartyType.Person;

        [JsonIgnore]
        public bool IsSubUnit => UnitType == "BEDR" || UnitType == "AAFY";

        /// <summary>The same without what a browser need not know: the last five digits of persons' numbers.</summary>
        public Party Masked()
        {
            var masked = (Party)MemberwiseClone();
            masked.Ssn = Ssn?.Length == 11 ? Ssn.Substring(0, 6) + "*****" : Ssn;
            masked.ChildParties = ChildParties?.Select(child => child.Masked()).ToList();

            // They repeat the number, and say where the person lives.
            masked.Rest = Rest?.Where(member => member.Key != "person" && (member.Key != "externalUrn" || Type != PartyType.Person)).ToDictionary(member => member.Key, member => member.Value);
            return masked;
        }
    }

    public enum PartyType
    {
        Person = 1,
        Organisation = 2,
        SelfIdentified = 3,
        SubUnit = 4,
        BankruptcyEstate = 5,
    }

    /// <summary>A user as Profile knows it.</summary>
    public class UserProfile
    {
        public int UserId { get; set; }

        public int PartyId { get; set; }

        public Party Party { get; set; }

        [JsonExtensionData]
        public Dictionary<string, JsonElement> Rest { get; set; }
    }
}
