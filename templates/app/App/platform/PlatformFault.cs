using System;

namespace Altinn.App.Platform
{
    /// <summary>A service of the platform refuses, fails, or does not answer (without a status).</summary>
    public class PlatformFault : Exception
    {
        public PlatformFault(int? status, string reason, Exception cause = null)
            : base(reason, cause)
        {
            Status = status;
        }

        public int? Status { get; }
    }
}
