using System;
using System.Collections.Generic;

namespace Altinn.App
{
    /// <summary>Why a request is refused; `Faults` makes the answer of it.</summary>
    public class Fault : Exception
    {
        public Fault(int status, string title, string detail = null)
            : base(detail ?? title)
        {
            Status = status;
            Title = title;
        }

        public int Status { get; }

        public string Title { get; }

        /// <summary>Members that the answer has beside those of problem details.</summary>
        public Dictionary<string, object> More { get; } = new Dictionary<string, object>();

        public static Fault Unauthorized() => new Fault(401, "Unauthorized", "Log in first: there is no valid token with this request.");

        public static Fault NotFound(string detail) => new Fault(404, "Not Found", detail);

        public static Fault BadRequest(string detail) => new Fault(400, "Bad Request", detail);

        public static Fault Conflict(string detail) => new Fault(409, "Conflict", detail);
    }
}
