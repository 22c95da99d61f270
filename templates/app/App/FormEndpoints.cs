using System.Text.Json;
using System.Threading.Tasks;
using Altinn.App.Logic;
using Altinn.App.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Altinn.App
{
    /// <summary>Runs the app's own logic on a form that is sent in; nothing is stored.</summary>
    public class FormEndpoints
    {
        public void Map(IEndpointRouteBuilder endpoints)
        {
            endpoints.MapGet("/v1/data/anonymous", c => Answer(c, new Model()));
            endpoints.MapPost("/v1/data/anonymous", Calculated);
            endpoints.MapPost("/api/v1/validate", Validated);
        }

        private static async Task Calculated(HttpContext context)
        {
            Model model = await ReadModel(context);
            if (model != null)
            {
                GrantCalculation.Run(model);
                await Answer(context, model);
            }
        }

        private static async Task Validated(HttpContext context)
        {
            Model model = await ReadModel(context);
            if (model != null)
            {
                GrantCalculation.Run(model);
                await Answer(context, GrantValidation.Run(model));
            }
        }

        /// <summary>The form in the request's body; null when it is not one, and the refusal is then written.</summary>
        private static async Task<Model> ReadModel(HttpContext context)
        {
            string reason = "the body is null";
            try
            {
                Model model = await JsonSerializer.DeserializeAsync<Model>(context.Request.Body, cancellationToken: context.RequestAborted);
                if (model != null)
                {
                    return model;
                }
            }
            catch (JsonException e)
            {
                reason = e.Message;
            }

            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await Answer(context, new { title = "The form cannot be read", status = 400, detail = reason }, "application/problem+json");
            return null;
        }

        private static Task Answer<T>(HttpContext context, T value, string contentType = "application/json; charset=utf-8")
        {
            context.Response.ContentType = contentType;
            return JsonSerializer.SerializeAsync(context.Response.Body, value, cancellationToken: context.RequestAborted);
        }
    }
}
