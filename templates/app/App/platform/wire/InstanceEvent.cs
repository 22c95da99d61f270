using System;

namespace Altinn.App.Platform
{
    /// <summary>Something that happened to an instance, for its history.</summary>
    public class InstanceEvent
    {
        public string InstanceId { get; set; }

        public string InstanceOwnerPartyId { get; set; }

        /// <summary>`process_StartTask`, `Submited` (spelt so), and so on.</summary>
        public string EventType { get; set; }

        public DateTime? Created { get; set; }

        public PlatformUser User { get; set; }

        public ProcessState ProcessInfo { get; set; }
    }

    /// <summary>Who did it.</summary>
    public class PlatformUser
    {
        public int? UserId { get; set; }

        public string OrgId { get; set; }

        public int AuthenticationLevel { get; set; }
    }
}
