using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Altinn.App.Platform
{
    /// <summary>One filling-in of the app, as Storage keeps it. Members that are not named here are kept as they come.</summary>
    public class Instance
    {
        public string Id { get; set; }

        public InstanceOwner InstanceOwner { get; set; }

        public string AppId { get; set; }

        public string Org { get; set; }

        public SelfLinks SelfLinks { get; set; }

        public DateTime? DueBefore { get; set; }

        public ProcessState Process { get; set; }

        public List<DataElement> Data { get; set; }

        public Dictionary<string, string> PresentationTexts { get; set; }

        public DateTime? LastChanged { get; set; }

        public string LastChangedBy { get; set; }

        [JsonExtensionData]
        public Dictionary<string, JsonElement> Rest { get; set; }
    }

    /// <summary>The party that an instance belongs to, by id and by at most one number or name.</summary>
    public class InstanceOwner
    {
        /// <summary>A number, as text.</summary>
        public string PartyId { get; set; }

        public string PersonNumber { get; set; }

        public string OrganisationNumber { get; set; }

        public string Username { get; set; }

        /// <summary>For the frontend only.</summary>
        public Party Party { get; set; }

        [JsonExtensionData]
        public Dictionary<string, JsonElement> Rest { get; set; }
    }

    /// <summary>Where something is found: through the app, and straight at the platform.</summary>
    public class SelfLinks
    {
        public string Apps { get; set; }

        public string Platform { get; set; }
    }

    /// <summary>The lock of an instance, as long as one holds it.</summary>
    public class InstanceLock
    {
        public const string Header = "Altinn-Storage-Lock-Token";

        public string LockToken { get; set; }
    }
}
