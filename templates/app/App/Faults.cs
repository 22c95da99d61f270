using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Altinn.App.Platform;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Altinn.App
{
    /// <summary>Answers with problem details where a request is refused or the platform does not do its part.</summary>
    public class Faults
    {
        private readonly ILogger<Faults> log;

        public Faults(ILogger<Faults> log)
        {
            this.log = log;
        }

        public async Task Catch(HttpContext context, Func<Task> next)
        {
            try
            {
                await next();
            }
            catch (Fault fault) when (!context.Response.HasStarted)
            {
                await Tell(context, fault);
            }
            catch (PlatformFault fault) when (!context.Response.HasStarted)
            {
                log.LogWarning("{Method} {Path}: {Reason}", context.Request.Method, context.Request.Path, fault.Message);
                await Tell(context, Translated(fault));
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                // Nobody is there any more to be answered.
            }
        }

        /// <summary>A refusal is passed on as it is; anything else is a fault behind this app, not of its caller.</summary>
        private static Fault Translated(PlatformFault fault) => fault.Status switch
        {
            null => new Fault(503, "The platform does not answer", fault.Message),
            401 => Fault.Unauthorized(),
            int status when status >= 400 && status < 500 => new Fault(status, "The platform refuses", fault.Message),
            _ => new Fault(502, "The platform fails", fault.Message),
        };

        private static Task Tell(HttpContext context, Fault fault)
        {
            if (fault.Status == 401)
            {
                context.Response.Headers["WWW-Authenticate"] = "Bearer";
            }

            var problem = new Dictionary<string, object>(fault.More)
            {
                ["title"] = fault.Title,
                ["status"] = fault.Status,
                ["detail"] = fault.Message,
            };
            return Answers.Json(context, problem, fault.Status, "application/problem+json; charset=utf-8");
        }
    }
}
