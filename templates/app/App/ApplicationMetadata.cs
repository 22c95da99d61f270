using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using Altinn.App.Platform;

namespace Altinn.App
{
    /// <summary>What config/applicationmetadata.json says, as far as this app acts on it.</summary>
    public class ApplicationMetadata
    {
        private static readonly JsonSerializerOptions Lenient = new JsonSerializerOptions { PropertyNameCaseInsensitive = true, AllowTrailingCommas = true };

        public string Id { get; set; }

        public string Org { get; set; }

        public List<DataType> DataTypes { get; set; } = new List<DataType>();

        public PartyTypes PartyTypesAllowed { get; set; } = new PartyTypes();

        public string App => Id.Substring(Id.IndexOf('/') + 1);

        public DataType Type(string id) => DataTypes.FirstOrDefault(type => type.Id == id);

        public static ApplicationMetadata Read(AppFiles files)
        {
            byte[] text = files.Read("config", "applicationmetadata.json")
                ?? throw new InvalidOperationException("There is no config/applicationmetadata.json.");
            return JsonSerializer.Deserialize<ApplicationMetadata>(text, Lenient);
        }

        /// <summary>A kind of data that an instance may hold.</summary>
        public class DataType
        {
            public string Id { get; set; }

            public List<string> AllowedContentTypes { get; set; }

            public AppLogic AppLogic { get; set; }

            /// <summary>The task in which it is made and changed.</summary>
            public string TaskId { get; set; }

            /// <summary>In MB of 1024 × 1024 bytes.</summary>
            public int? MaxSize { get; set; }

            /// <summary>0 means as many as you like.</summary>
            public int MaxCount { get; set; }

            public int MinCount { get; set; }

            public bool IsForm => !string.IsNullOrEmpty(AppLogic?.ClassRef);

            /// <summary>Refuses with 409 where an instance is not, or no longer, in the task of this data.</summary>
            public void DemandTask(Instance instance)
            {
                string task = instance.Process?.CurrentTask?.ElementId ?? throw Fault.Conflict("The process of this instance has ended: it was sent in.");
                if (TaskId != null && TaskId != task)
                {
                    throw Fault.Conflict($"Data of type `{Id}` is changed in {TaskId}, and the instance is in {task}.");
                }
            }
        }

        /// <summary>What a form is to the app's code.</summary>
        public class AppLogic
        {
            public bool? AutoCreate { get; set; }

            public string ClassRef { get; set; }

            public bool DisallowUserCreate { get; set; }

            public bool DisallowUserDelete { get; set; }
        }

        /// <summary>Who may own an instance; none named means everybody.</summary>
        public class PartyTypes
        {
            public bool BankruptcyEstate { get; set; }

            public bool Organisation { get; set; }

            public bool Person { get; set; }

            public bool SubUnit { get; set; }

            public bool Allow(Party party) => party.Type switch
            {
                _ when !BankruptcyEstate && !Organisation && !Person && !SubUnit => true,
                PartyType.Organisation => Organisation || (SubUnit && party.IsSubUnit),
                PartyType.SubUnit => SubUnit,
                PartyType.BankruptcyEstate => BankruptcyEstate,
                _ => Person,
            };
        }
    }
}
